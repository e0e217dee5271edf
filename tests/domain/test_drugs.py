"""Drug names: found as written, misspellings asked about, ordinary words left alone."""

import gzip
from pathlib import Path

import pytest

from lumen_desktop.domain.drugs import DrugMention, DrugNames, NearMiss, names_in_title

BUNDLED = Path(__file__).resolve().parents[2] / "resources" / "drugs"
NAMES = {
    "metformin": "metformin",
    "metformin hydrochloride": "metformin",
    "sodium valproate": "valproic acid",
    "valproate": "valproic acid",
    "hydroxyzine": "hydroxyzine",
    "hydralazine": "hydralazine",
    "insulin": "insulin",
    "insulin glargine": "insulin glargine",
    "co-amoxiclav": "amoxicillin + clavulanic acid",
    "amoxicillin": "amoxicillin",
    "water": "water",
    "vitamin d": "vitamin d",
    "lanoxin": "digoxin",
}
ORDINARY = frozenset(
    ["what", "dose", "vitamin", "sodium", "batch", "release", "process", "validation", "carry", "stop"]
)


@pytest.fixture
def drugs() -> DrugNames:
    return DrugNames(NAMES, ["water"], ORDINARY)


@pytest.fixture(scope="module")
def bundled() -> DrugNames:
    return DrugNames.load(BUNDLED)


def test_a_name_is_found_with_its_ingredient_and_place(drugs: DrugNames) -> None:
    assert drugs.find("Take METFORMIN twice.") == (DrugMention("METFORMIN", "metformin", 5, 14),)


def test_the_longest_name_wins(drugs: DrugNames) -> None:
    assert [found.name for found in drugs.find("insulin glargine, insulin")] == ["insulin glargine", "insulin"]


@pytest.mark.parametrize(
    "text",
    [
        "metformin's dose",
        "metformins",
        "metformin-hydrochloride",
        "metformin\nhydrochloride",
        "(metformin)",
        "Métformin",
    ],
)
def test_owner_plural_hyphen_line_break_and_accent_do_not_hide_a_name(drugs: DrugNames, text: str) -> None:
    assert drugs.ingredients(text) == {"metformin"}


@pytest.mark.parametrize("text", ["co-amoxiclav", "co amoxiclav", "Co\u2011Amoxiclav"])
def test_a_hyphenated_name_is_found_however_the_hyphen_is_written(drugs: DrugNames, text: str) -> None:
    assert drugs.find(text)[0].name == text
    assert drugs.ingredients(text) == {"amoxicillin", "clavulanic acid"}


@pytest.mark.parametrize("text", ["vitamin. D", "vitamin, d", "metforminium", "water", "", "sodium. valproatex"])
def test_nothing_is_found_across_sentences_inside_words_or_where_a_stop_word_stands(
    drugs: DrugNames, text: str
) -> None:
    assert drugs.find(text) == ()


def test_lookalike_names_are_found_as_written_and_never_swapped(drugs: DrugNames) -> None:
    assert drugs.ingredients("hydroxyzine") == {"hydroxyzine"}
    assert drugs.ingredients("hydralazine") == {"hydralazine"}
    assert drugs.near_misses("hydroxyzine or hydralazine?") == ()


@pytest.mark.parametrize("slip", ["metfromin", "metformn", "mettformin", "metfurmin", "Metfromin's", "netformin"])
def test_one_slip_is_asked_about(drugs: DrugNames, slip: str) -> None:
    question = f"What dose {slip}?"
    assert drugs.find(question) == ()
    assert drugs.near_misses(question) == (NearMiss(slip, ("metformin",), 10, 10 + len(slip)),)


def test_two_slips_are_asked_about_in_a_long_word(drugs: DrugNames) -> None:
    assert drugs.near_misses("hydroxizene")[0].suggestions == ("hydroxyzine",)
    assert drugs.near_misses("lamixin") == ()  # seven letters, two slips


def test_a_slip_in_a_name_of_several_words_names_the_whole(drugs: DrugNames) -> None:
    assert drugs.near_misses("dose sodium valprote") == (NearMiss("sodium valprote", ("sodium valproate",), 5, 20),)
    assert drugs.near_misses("insulin glargne")[0].suggestions == ("insulin glargine",)
    assert drugs.near_misses("insulin, glargne")[0].suggestions == ("glargine",)


def test_a_part_of_a_name_alone_is_asked_about(drugs: DrugNames) -> None:
    assert drugs.near_misses("dose glargine") == (NearMiss("glargine", ("insulin glargine",), 5, 13),)


def test_a_word_that_qualifies_many_names_is_no_near_miss() -> None:
    salts = DrugNames({f"drug{n} besylate": f"drug{n}" for n in range(10)}, [], frozenset())
    assert salts.near_misses("besylate") == ()


def test_a_word_near_a_stop_word_or_an_ordinary_word_is_no_near_miss(drugs: DrugNames) -> None:
    assert drugs.near_misses("watter") == ()
    assert drugs.near_misses("vitamn") == ()
    assert drugs.near_misses("vitamn d")[0].suggestions == ("vitamin d",)


@pytest.mark.parametrize("word", ["releases", "batch's", "stopped", "carrying", "prevalidation", "dosed"])
def test_inflections_of_ordinary_words_are_ordinary(drugs: DrugNames, word: str) -> None:
    assert drugs.near_misses(word) == ()


def test_short_words_and_codes_are_left_alone(drugs: DrugNames) -> None:
    assert drugs.near_misses("insu lxn1234") == ()


def test_words_of_the_site_are_known(drugs: DrugNames) -> None:
    assert drugs.near_misses("metfromin", frozenset(["metfromin"])) == ()


def test_an_unknown_word_that_ends_like_a_drug_is_asked_about_without_suggestion(drugs: DrugNames) -> None:
    assert drugs.near_misses("dose zorvamab") == (NearMiss("zorvamab", (), 5, 13),)
    assert drugs.near_misses("dose zorvaneek") == ()


def test_names_of_imported_documents_are_found_and_misspellings_of_them_too(drugs: DrugNames) -> None:
    site = drugs.extended(["Zorvantix", "Metformin"])
    assert site.find("zorvantix 20 mg") == (DrugMention("zorvantix", "zorvantix", 0, 9),)
    assert site.near_misses("zorvantx")[0].suggestions == ("zorvantix",)
    assert site.near_misses("metfromin")[0].suggestions == ("metformin",)
    assert drugs.find("zorvantix") == ()


def test_an_extension_can_be_extended(drugs: DrugNames) -> None:
    site = drugs.extended(["Zorvantix"]).extended(["Kelmorin XR", "Zorvantix"])
    assert site.ingredients("zorvantix and kelmorin xr") == {"zorvantix", "kelmorin xr"}


def test_ordinary_words_in_a_title_do_not_become_drugs(drugs: DrugNames) -> None:
    site = drugs.extended(["Process Validation", "batch 12", "", "water"])
    assert site.find("process validation of batch 12 water") == ()


@pytest.mark.parametrize(
    ("title", "names"),
    [
        ("Zorvantix 20 mg film-coated tablets: summary of product characteristics", ("zorvantix",)),
        ("Package leaflet: Information for the user - Zorvantix 20 mg tablets", ("zorvantix",)),
        ("ZORVANTIX\u00ae (zorvanib) tablets", ("zorvantix", "zorvanib")),
        ("Summary of Product Characteristics for Zorvantix", ("zorvantix",)),
        ("Metformin hydrochloride Tablets, USP 500 mg", ("metformin hydrochloride",)),
        ("Prescribing information \u2014 Humira", ("humira",)),
        ("Guideline on process validation", ()),
        ("Annex 1: manufacture of sterile products", ()),
        ("Uncoated tablets: dissolution testing", ()),
        ("Visual inspection of injection vials", ()),
        ("Quality of water for injection", ()),
        ("", ()),
    ],
)
def test_a_title_yields_a_name_only_where_it_has_the_shape_of_a_label(title: str, names: tuple[str, ...]) -> None:
    assert names_in_title(title, {}) == names


def test_metadata_yield_the_names_they_state_once() -> None:
    stated = {
        "brand_name": "Zorvantix",
        "generic_name": "zorvanib; metformin",
        "author": "Smith",
        "product": "Zorvantix 5 mg",
    }
    assert names_in_title("Zorvantix 5 mg tablets", stated) == ("zorvantix", "zorvanib", "metformin")


def test_the_bundled_dictionary_is_large_and_sorted() -> None:
    lines = gzip.decompress((BUNDLED / "names.tsv.gz").read_bytes()).decode("utf-8").splitlines()
    assert len(lines) >= 10_000
    assert lines == sorted(lines)
    assert all(len(line.split("\t")) == 2 and line == line.lower() for line in lines)


@pytest.mark.parametrize(
    ("name", "ingredients"),
    [
        ("Glucophage", {"metformin"}),
        ("paracetamol", {"acetaminophen"}),
        ("Tylenol", {"acetaminophen"}),
        ("adrenaline", {"epinephrine"}),
        ("Epilim", {"valproic acid"}),
        ("Janumet", {"metformin", "sitagliptin"}),
        ("Augmentin", {"amoxicillin", "clavulanic acid"}),
        ("atorvastatin calcium", {"atorvastatin"}),
        ("potassium chloride", {"potassium chloride"}),
        ("penicillin G benzathine", {"penicillin g benzathine"}),
        ("vincristine", {"vincristine"}),
        ("vinblastine", {"vinblastine"}),
    ],
)
def test_bundled_brands_salts_and_synonyms_lead_to_the_ingredient(
    bundled: DrugNames, name: str, ingredients: set[str]
) -> None:
    assert bundled.ingredients(f"What is the maximum daily dose of {name}?") == ingredients


@pytest.mark.parametrize(
    ("slip", "name"),
    [
        ("metfromin", "metformin"),
        ("warfrin", "warfarin"),
        ("fluvaastatin", "fluvastatin"),
        ("amoxycilin", "amoxycillin"),
        ("methotrexat", "methotrexate"),
        ("calcum gluconate", "calcium gluconate"),
    ],
)
def test_bundled_names_are_suggested_and_not_put_in_place(bundled: DrugNames, slip: str, name: str) -> None:
    question = f"What is the maximum daily dose of {slip}?"
    found, near = bundled.find(question), bundled.near_misses(question)
    assert any(mention.name == slip for mention in found) or name in near[0].suggestions


@pytest.mark.parametrize(
    "question",
    [
        "Which batches must an investigation extend to when a batch fails its specification?",
        "Should 70% isopropanol used in grade A be sterile?",
        "How is water for injection kept from microbial growth?",
        "Do excipients such as lactose and magnesium stearate need full testing on receipt?",
        "Is AstraZeneca's EudraLex training by Mr. Oliver documented?",
    ],
)
def test_a_question_on_gmp_names_no_drug(bundled: DrugNames, question: str) -> None:
    assert bundled.find(question) == ()
    assert bundled.near_misses(question) == ()


def test_a_missing_dictionary_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"names\.tsv\.gz"):
        DrugNames.load(tmp_path)
