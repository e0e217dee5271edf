"""What the recipe `trainer.finetune` is made of: needs, order, adapters, loop, checkpoints, progress.

======= =====================================================================
code    meaning
======= =====================================================================
TRN-070 a GPU is needed and there is none
TRN-071 too little memory, or too little room on the disk
TRN-072 the work folder holds another run
TRN-073 a checkpoint is damaged, and none before it is whole
TRN-074 the rows of a step cannot be shared by so many processes
TRN-075 the loss or its gradient is no number any more
TRN-076 nothing to train on, or nothing to validate with
TRN-077 a run under FSDP cannot go on from a checkpoint
TRN-078 the preference step has no pairs
======= =====================================================================
"""
