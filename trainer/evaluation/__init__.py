"""What a build answers, measured: on the GGUF as the app runs it, and on the model it came from by the same functions.

`results` is what every part hands on; `trainer.evaluate` puts the parts in order.
"""
