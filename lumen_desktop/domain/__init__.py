"""What things are and which changes are allowed; standard library only, no file, clock or process."""
