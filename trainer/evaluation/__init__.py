"""What a build answers, measured: on the GGUF as the app runs it, and on the model it came from by the same functions.

`results` is what every part hands on; `trainer.evaluate` puts the parts in order. The sets, and when an item is right
(`Score.value` is the share right, whatever the set asks; a gate that counts what is wrong takes 1 less it)::

    medqa medmcqa pubmedqa mmlu        public, letters: the right one
    mirage/mmlu mirage/medqa …         MIRAGE's, the same
    medhalt-fake medhalt-nota          Med-HALT: takes the way out of a senseless question, or "none of the above"
    medhalt-fct                        Med-HALT: says whether a proposed answer is right
    label dosing interaction contraindication table patient consumer
                                       the dataset's test part, over passages: says the passage's words and its numbers
    pubmed                             yes, no or maybe over an abstract; what a study says
    regulation                         names the clause
    narrative                          states every fact given and no other
    answerable                         those of the above that passages answer: does answer them
    unanswerable                       does not answer what no passage answers
    invented                           does not answer on a medicine that does not exist
    harmful medsafety                  refuses
    benign                             answers what only sounds harmful
    medicationqa kqa                   no right or wrong, only a score: words shared with an expert's answer
    calibration                        all letters together; its value is the error of calibration

What is refused:

TRN-090 a question file that cannot be used, with its line
TRN-091 there is no model to evaluate
TRN-092 evaluations that were not asked the same are not compared
TRN-093 a folder that holds no evaluation
TRN-094 there is nothing to ask
TRN-095 a model with another chat template than the base's
"""
