"""What shows that Lumen keeps its promises; folders mirror the layers of `lumen_desktop`."""
