"""What the lock leaves out of chromadb's wishes is not needed: an index works with those packages absent."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = [
    line.split(";")[0].strip()
    for line in (ROOT / "installers" / "overrides.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
PROGRAM = """
import sys
for name in {names!r}:
    sys.modules[name] = None
import chromadb, numpy
from chromadb.config import Settings
def opened():
    client = chromadb.PersistentClient(path={folder!r}, settings=Settings(anonymized_telemetry=False))
    cosine = {{"hnsw": {{"space": "cosine"}}}}
    return client.get_or_create_collection("passages", embedding_function=None, configuration=cosine)
vectors = numpy.eye(8, dtype=numpy.float32)
opened().upsert(ids=[str(n) for n in range(8)], embeddings=vectors)
found = opened().query(query_embeddings=vectors[3:4], n_results=2)
print(found["ids"][0][0], opened().count())
"""


def test_an_index_is_stored_queried_and_reopened_without_them(tmp_path: Path) -> None:
    assert "onnxruntime" in LEFT_OUT
    program = PROGRAM.format(names=LEFT_OUT, folder=str(tmp_path / "index"))
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert ended.stdout.split() == ["3", "8"], ended.stderr


def test_the_lock_leaves_them_out() -> None:
    lock = (ROOT / "installers" / "requirements.lock").read_text(encoding="utf-8")
    assert not [name for name in LEFT_OUT if f"\n{name}==" in f"\n{lock}"]
