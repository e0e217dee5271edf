"""Who may own what is built: the licence ledger, the notices that it owes, the dataset card and the manifest.

Reads the files of the work folder and knows no step that made them. States facts about terms; no legal advice.

====== =======================================================
code   meaning
====== =======================================================
TRN-040 the work folder holds no dataset
TRN-041 the list of the collected files is damaged
TRN-042 the manifest is missing, damaged or of another form
TRN-043 a base model that the ledger does not know
TRN-044 nothing to show: no such family
====== =======================================================
"""
