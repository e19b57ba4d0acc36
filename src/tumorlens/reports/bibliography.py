"""BibTeX of everything a report rests on: networks, methods, software, reporting guidelines.

Knows nothing about figures; which entry is wanted follows from what was used.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tumorlens.backbones import BACKBONES, Paper
from tumorlens.reports.report_facts import ReportFacts

__all__ = ["TUMORLENS", "Entry", "bibliography", "paper_entry", "to_bibtex"]

_PAPER = re.compile(r"(?P<authors>[^:]+): (?P<title>.+)\. (?P<venue>[^.]*?(?P<year>(?:19|20)\d\d))(?:; (?P<note>.+))?")
_SPECIAL = str.maketrans(
    {sign: f"\\{sign}" for sign in "&%$#_{}"} | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}"}
)


@dataclass(frozen=True)
class Entry:
    """One BibTeX entry.

    Attributes:
        key: What it is cited by.
        kind: "article", "book", "inproceedings", "misc" or "software".
        fields: Name and value, in order; values are plain text.
    """

    key: str
    kind: str
    fields: tuple[tuple[str, str], ...]


def _entry(key: str, kind: str, **fields: str) -> Entry:
    return Entry(key, kind, tuple(fields.items()))


TUMORLENS = _entry(
    "tumorlens",
    "software",
    author="{The tumorlens authors}",
    title="tumorlens: fair comparison of transfer-learned networks on brain-MRI slices",
    license="Apache-2.0",
)
"""tumorlens itself, as in CITATION.cff, without its version."""

_KERAS = _entry(
    "chollet2015",
    "misc",
    author="Chollet, Fran\u00e7ois and others",
    title="Keras",
    year="2015",
    howpublished="https://keras.io",
)
_OPENVINO = _entry(
    "openvino", "misc", author="{Intel Corporation}", title="OpenVINO toolkit", howpublished="https://docs.openvino.ai"
)
_SCIKIT_LEARN = _entry(
    "pedregosa2011",
    "article",
    author="Pedregosa, Fabian and others",
    title="Scikit-learn: Machine Learning in Python",
    journal="Journal of Machine Learning Research",
    volume="12",
    pages="2825--2830",
    year="2011",
)
_SCIPY = _entry(
    "virtanen2020",
    "article",
    author="Virtanen, Pauli and others",
    title="SciPy 1.0: fundamental algorithms for scientific computing in Python",
    journal="Nature Methods",
    volume="17",
    pages="261--272",
    year="2020",
)
_CLUSTER_BOOTSTRAP = _entry(
    "field2007",
    "article",
    author="Field, Christopher A. and Welsh, Alan H.",
    title="Bootstrapping clustered data",
    journal="Journal of the Royal Statistical Society B",
    volume="69",
    pages="369--390",
    year="2007",
)
_BOOTSTRAP = _entry(
    "efron1993",
    "book",
    author="Efron, Bradley and Tibshirani, Robert J.",
    title="An Introduction to the Bootstrap",
    publisher="Chapman & Hall",
    year="1993",
)
_EXACT = _entry(
    "clopper1934",
    "article",
    author="Clopper, C. J. and Pearson, E. S.",
    title="The use of confidence or fiducial limits illustrated in the case of the binomial",
    journal="Biometrika",
    volume="26",
    pages="404--413",
    year="1934",
)
_HOLM = _entry(
    "holm1979",
    "article",
    author="Holm, Sture",
    title="A simple sequentially rejective multiple test procedure",
    journal="Scandinavian Journal of Statistics",
    volume="6",
    pages="65--70",
    year="1979",
)
_CAM = _entry(
    "zhou2016",
    "inproceedings",
    author="Zhou, Bolei and Khosla, Aditya and Lapedriza, Agata and Oliva, Aude and Torralba, Antonio",
    title="Learning deep features for discriminative localization",
    booktitle="CVPR",
    year="2016",
    eprint="1512.04150",
    archiveprefix="arXiv",
)
_HIRESCAM = _entry(
    "draelos2020",
    "misc",
    author="Draelos, Rachel Lea and Carin, Lawrence",
    title="Use HiResCAM instead of Grad-CAM for faithful explanations of convolutional neural networks",
    year="2020",
    eprint="2011.08891",
    archiveprefix="arXiv",
)
_TEMPERATURE = _entry(
    "guo2017",
    "inproceedings",
    author="Guo, Chuan and Pleiss, Geoff and Sun, Yu and Weinberger, Kilian Q.",
    title="On calibration of modern neural networks",
    booktitle="ICML",
    year="2017",
    eprint="1706.04599",
    archiveprefix="arXiv",
)
_SELECTION = _entry(
    "caruana2004",
    "inproceedings",
    author="Caruana, Rich and Niculescu-Mizil, Alexandru and Crew, Geoff and Ksikes, Alex",
    title="Ensemble selection from libraries of models",
    booktitle="ICML",
    year="2004",
    doi="10.1145/1015330.1015432",
)
_ADAMW = _entry(
    "loshchilov2019",
    "inproceedings",
    author="Loshchilov, Ilya and Hutter, Frank",
    title="Decoupled weight decay regularization",
    booktitle="ICLR",
    year="2019",
    eprint="1711.05101",
    archiveprefix="arXiv",
)
_CARDS = _entry(
    "mitchell2019",
    "inproceedings",
    author="Mitchell, Margaret and others",
    title="Model cards for model reporting",
    booktitle="FAT* 2019",
    year="2019",
    eprint="1810.03993",
    archiveprefix="arXiv",
)
_SHEETS = _entry(
    "gebru2021",
    "article",
    author="Gebru, Timnit and others",
    title="Datasheets for datasets",
    journal="Communications of the ACM",
    volume="64",
    number="12",
    pages="86--92",
    year="2021",
)
_CLAIM = _entry(
    "tejani2024",
    "article",
    author="Tejani, Ali S. and others",
    title="Checklist for Artificial Intelligence in Medical Imaging (CLAIM): 2024 Update",
    journal="Radiology: Artificial Intelligence",
    volume="6",
    year="2024",
    doi="10.1148/ryai.240300",
)
_TRIPOD = _entry(
    "collins2024",
    "article",
    author="Collins, Gary S. and others",
    title="TRIPOD+AI statement: updated guidance for reporting clinical prediction models that use regression or "
    "machine learning methods",
    journal="BMJ",
    volume="385",
    year="2024",
    doi="10.1136/bmj-2023-078378",
)
_STARD = _entry(
    "sounderajah2025",
    "article",
    author="Sounderajah, Viknesh and others",
    title="The STARD-AI reporting guideline for diagnostic accuracy studies using artificial intelligence",
    journal="Nature Medicine",
    volume="31",
    pages="3283--3289",
    year="2025",
    doi="10.1038/s41591-025-03953-8",
)


def bibliography(facts: ReportFacts) -> tuple[Entry, ...]:
    """Everything that was used, each once: tumorlens, networks, software, methods, then the forms of the report."""
    comparison = facts.comparison
    version = comparison.versions.get("tumorlens")
    own = Entry(TUMORLENS.key, TUMORLENS.kind, (*TUMORLENS.fields, *((("version", version),) if version else ())))
    entries = [own, *_networks(facts), _KERAS, _OPENVINO, _SCIKIT_LEARN, *_methods(facts)]
    return tuple(dict.fromkeys([*entries, _CARDS, _SHEETS, _CLAIM, _TRIPOD, _STARD]))


def to_bibtex(entries: tuple[Entry, ...]) -> str:
    """The entries as a BibTeX file."""
    return "\n".join(_written(entry) for entry in entries)


def paper_entry(paper: Paper) -> Entry:
    """The entry of a network's paper.

    Args:
        paper: Its citation reads "Authors: Title. Venue Year".
    """
    found = _PAPER.fullmatch(paper.citation)
    if found is None:
        return _entry(f"arxiv{paper.arxiv}", "misc", title=paper.citation, eprint=paper.arxiv, archiveprefix="arXiv")
    authors = found["authors"].replace(" et al.", ", others").split(", ")
    first = re.sub(r"[^a-z]", "", authors[0].lower())
    return _entry(
        f"{first}{found['year']}-{paper.arxiv}",
        "misc",
        author=" and ".join(authors),
        title=found["title"],
        howpublished=found["venue"],
        year=found["year"],
        eprint=paper.arxiv,
        archiveprefix="arXiv",
        **({"note": found["note"]} if found["note"] else {}),
    )


def _networks(facts: ReportFacts) -> list[Entry]:
    names = [row.backbone for row in facts.comparison.rows if row.kind == "backbone"]
    names += [str(network["name"]) for network in facts.card.networks] if facts.card else []
    return [paper_entry(BACKBONES[name].paper) for name in names if name in BACKBONES]


def _methods(facts: ReportFacts) -> list[Entry]:
    rows = facts.comparison.rows
    intervals = [row.interval for row in rows if row.interval]
    heads = {row.head for row in rows}
    heads |= {str(member["head"]["kind"]) for member in facts.card.members} if facts.card else set()
    entries = [_SCIPY] if "linear" in heads else []
    entries += [_ADAMW] if "fine-tuned" in heads else []
    entries += [_CLUSTER_BOOTSTRAP] if any(interval.unit != "scans" for interval in intervals) else []
    entries += [_BOOTSTRAP] if intervals else []
    entries += [_EXACT] if any("exact" in interval.method for interval in intervals) else []
    entries += [_HOLM] if any(entry.p_adjusted is not None for entry in facts.comparison.differences) else []
    entries += [_SELECTION] if facts.head.get("selection") == "greedy" else []
    entries += [_CAM] if heads - {None} else []
    entries += [_HIRESCAM] if heads & {"mlp", "study", "scratch"} else []
    return entries + ([_TEMPERATURE] if facts.card and facts.card.temperature != 1.0 else [])


def _written(entry: Entry) -> str:
    fields = "".join(f"  {name} = {{{_plain(name, value)}}},\n" for name, value in entry.fields)
    return f"@{entry.kind}{{{entry.key},\n{fields}}}\n"


def _plain(name: str, value: str) -> str:
    """Signs that mean something in TeX made plain; addresses and names in braces stay as they are."""
    if name in ("howpublished", "doi", "eprint") or value.startswith("{"):
        return value
    return value.translate(_SPECIAL)
