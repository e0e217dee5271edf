"""What public files say: labels, regulations, articles, leaflets, from bytes to typed sections.

One module a format, each streaming: it never holds more than one document of a file. Knows nothing of the app but the
domain and the errors, so that the app's library and the trainer read the same words from the same file.

A parser yields `document.PublicDocument`, and a `document.Fault` for a record that cannot be used; the records after
it are read all the same. What ends the whole file is an `InputError`:

====== =======================================================
code   meaning
====== =======================================================
FMT-001 not well-formed, at the line named
FMT-002 ends too early: cut off or still being copied
FMT-003 not the format, or not the version of it, that is read
FMT-004 an archive in an archive in an archive
FMT-005 an archive that would unpack to more than is allowed
FMT-006 a document type that declares entities of its own
FMT-007 encrypted, so that nothing in it can be read
FMT-030 a split of a question set that models are evaluated on, by its name
FMT-031 the same, by its form
FMT-032 a withdrawal of consent that cannot be read
====== =======================================================
"""
