"""The papers of a model: evaluation report as page and print, model card, golden prompts.

What they say is gathered once in `told` and set in order in `sections`; `page`, `printed` and `model_card` only give it
a form. Every figure comes from a file of the work folder.
"""
