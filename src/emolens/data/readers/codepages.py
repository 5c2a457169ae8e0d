"""Finds the code page of bytes that are not Unicode, by the letters that each language uses.

Knows no file. A few words must be enough, because a table may hold few letters beyond ASCII.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial

# The letters beyond ASCII of each language, the most frequent first.
_LATIN = {
    "Western": "éáóíäèüöàçãñêåøúôâßæõùûîëìïœðþý",
    "French": "éàèêçâôîùûïëœ", "Spanish": "óíáéñúü", "Portuguese": "ãáçéíóõêâúàô",
    "German": "üäöß", "Italian": "èàùòìé", "Dutch": "ëéïóè", "Nordic": "äåöøæé",
    "Catalan": "àéèóíòçúïü", "Icelandic": "ðáíéþæöúóý", "Estonian": "äõüöšž",
    "Polish": "łężąóśćźń", "Czech": "íáéěřýčžšůúťďňó", "Slovak": "áíéžčýšúľťôňäóďĺŕ",
    "Hungarian": "áéöőóíüúű", "Croatian": "čšžćđ", "Romanian": "ăîâşţșț",
    "Turkish": "ıüşğöçİâ", "Lithuanian": "ėųįšžūčąę", "Latvian": "āīēšūņļžčģķ",
    "Vietnamese": "àáâãèéêìíòóôõùúýăđơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ",
}  # fmt: skip
_OTHER = {
    "Russian": "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё",
    "Ukrainian": "оаинвіертсклудмпязьгчбйхжшцюїєщфґ",
    "Bulgarian": "аоеитнрсвлкдмпъузягбчжцшйщхфюь",
    "Serbian": "аоиентрсјкувдмлпзгбчшцжњљћхфђџ",
    "Greek": "αοιετσνηυρπκμλςίόάωδγέήθώχφβύξζψϊΐϋ",
    "Hebrew": "יוהלאתמרשנבדםעחפקכגסטןזצךףץ",
    "Arabic": "اليمونتربةعدسفهكقأحجشطصخإزذىضءغئثظآؤ",
    "Persian": "ایرنهدمتوسبشکزگلخقفآعحجپغچطصضثئظذژءأ",
    "Thai": "านรอกเงมยลวดทสตะปบคหแจพชขใไโผถณศธษฐซภ่้ัิีุู็ึื์ำ",
}
_SIGNS = "€\xa0’“”–…‘—«»°£„‚•´·¿¡ºª©®§½¼¾×±²³"
# How unlikely a page is before anything is read, in nats.
_PAGES: tuple[tuple[str, float, str], ...] = (
    ("cp1252", 0, "Western French Spanish Portuguese German Italian Dutch Nordic Catalan"),
    ("cp1252", 3, "Icelandic Estonian"),
    ("cp1250", 1.5, "Polish Czech Slovak Hungarian Croatian Romanian German"),
    ("cp1251", 1.5, "Russian Ukrainian Bulgarian Serbian"),
    ("cp1253", 2, "Greek"), ("cp1254", 1.5, "Turkish"), ("cp1255", 2, "Hebrew"),
    ("cp1256", 2, "Arabic Persian"), ("cp1257", 2, "Lithuanian Latvian Estonian"),
    ("cp1258", 8, "Vietnamese"), ("cp874", 2, "Thai"),
    ("koi8_r", 3, "Russian Bulgarian"), ("koi8_u", 3.5, "Ukrainian"),
    ("cp866", 4, "Russian Ukrainian"), ("iso8859_5", 8, "Russian Bulgarian Serbian"),
    ("iso8859_2", 3.5, "Polish Czech Slovak Hungarian Croatian Romanian"),
    ("iso8859_7", 3, "Greek"), ("iso8859_15", 3, "French German Nordic Spanish"),
    ("cp850", 5, "Western French Spanish Portuguese German Italian Nordic"),
    ("mac_roman", 4, "Western French Spanish Portuguese German Italian Nordic"),
    ("cp852", 7, "Polish Czech Slovak Hungarian Croatian"),
    ("cp932", 2, "Japanese"), ("euc_jp", 3, "Japanese"), ("gb18030", 1.5, "Chinese"),
    ("big5", 2.5, "Taiwanese"), ("cp949", 2, "Korean"),
)  # fmt: skip
_WESTERN = _PAGES[0][2].split()
PAGES = tuple(dict.fromkeys(page for page, _, _ in _PAGES))
_RARE = math.log(2e-5)  # a character that the language does not use
_ASCII = math.log(1 / 30)
_FOREIGN = 8
_LETTER = r"[^\W\d_a-zA-Z]"  # beyond ASCII


# A sign inside a word, a letter that a number follows, as in 'Ł50' for '£50', or one that stands
# alone and is no word, as in '1œ' for '1½'.
_ODD = re.compile(
    rf"(?<=[^\W\d_])[\u0080-\u009f\u00a1-\u00bf\u2010-\u2018\u201a-\u2fff](?=\w)|\b{_LETTER}(?=\d)"
    r"|(?<![^\W\d_])[ŒœŸľĽšŠžŽ](?![^\W\d_])"
)


@dataclass(frozen=True)
class Guess:
    """A code page, the language that it was recognised by, and the next likely page."""

    page: str
    language: str
    other: str


def guess_page(raw: bytes) -> Guess:
    """The likeliest code page of a text with bytes above 127.

    Each word counts once: a word that is repeated says nothing new.
    """
    # Between many ASCII letters, a few others are seldom Thai or Russian.
    n_high, n_ascii = len(re.findall(rb"[\x80-\xff]", raw)), len(re.findall(rb"[a-zA-Z]", raw))
    unlikely = _FOREIGN if n_high < n_ascii / 10 else 0
    words = (word for word in re.split(rb'[\s,;"]+', raw) if not word.isascii())
    raw = b" ".join(dict.fromkeys(words))
    texts = {page: _Text.of(raw, page) for page in PAGES}
    likelihoods = {
        (page, language): _likelihood(texts[page], language)
        - before
        - (0 if language in _LATIN else unlikely)
        for page, before, languages in _PAGES
        for language in languages.split()
    }
    (page, language), *others = sorted(likelihoods, key=likelihoods.__getitem__, reverse=True)
    text = raw.decode(page, "replace")
    # Two pages may differ only in characters that do not occur.
    # One for languages of the same letters is the likelier mistake.
    differing = [(p, of) for p, of in others if raw.decode(p, "replace") != text]
    alike = [p for p, of in differing if (of in _LATIN) == (language in _LATIN)]
    other = next(iter([*alike, *(p for p, _ in differing)]), page)
    return Guess(page, "Western" if language in _WESTERN else language, other)


@dataclass(frozen=True)
class _Text:
    """What is counted in a text that was decoded with one page.

    counts: its characters beyond ASCII, in small letters. neighbors: pairs of letters beyond
    ASCII. mixed: pairs of an ASCII letter and another one. wrong: bytes that the page does not
    have. odd: words with a capital or a sign in a
    place where none should be. capitals: words that begin with
    a capital beyond ASCII.
    """

    counts: Mapping[str, int]
    n_ascii: int
    neighbors: int
    mixed: int
    wrong: int
    odd: int
    capitals: int

    @classmethod
    def of(cls, raw: bytes, page: str) -> _Text:
        text = raw.decode(page, "surrogateescape")
        counts = Counter(re.findall(r"[^\x00-\x7f]", text))
        words = Counter(word for word in re.findall(r"[^\W\d_]+", text) if not word.isascii())
        capital_inside = (n for w, n in words.items() if w[1:] != w[1:].lower() and w != w.upper())
        return cls(
            _small(counts),
            len(text) - counts.total(),
            neighbors=len(re.findall(f"(?={_LETTER}{_LETTER})", text)),
            mixed=len(re.findall(f"[a-zA-Z](?={_LETTER})|(?<={_LETTER})[a-zA-Z]", text)),
            wrong=sum(n for c, n in counts.items() if "\udc80" <= c <= "\udcff"),
            odd=sum(capital_inside) + len(_ODD.findall(text)),
            capitals=sum(n for w, n in words.items() if w[0] > "\x7f" and w[0].isupper()),
        )


def _small(counts: Mapping[str, int]) -> Mapping[str, int]:
    small: Counter[str] = Counter()
    for character, n in counts.items():
        lower = character.lower()
        small[lower if len(lower) == 1 and lower > "\x7f" else character] += n
    return small


def _likelihood(text: _Text, language: str) -> float:
    """The logarithm of the probability that a text of this language looks so."""
    likely = _characters(language)
    total = sum(n * likely(character) for character, n in text.counts.items())
    total += text.n_ascii * _ASCII - 12 * text.wrong - 4 * text.odd - 2.5 * text.capitals
    if language in _LATIN:
        return total - 2.5 * text.neighbors
    return total - (4 if language in _OTHER else 2) * text.mixed


@cache
def _characters(language: str) -> Callable[[str], float]:
    """The logarithm of the probability of a character beyond ASCII."""
    if language in _EAST_ASIAN:
        return cache(partial(_east_asian, language))
    likely = _by_rank(_SIGNS, share=0.1) | _by_rank((_LATIN | _OTHER)[language], share=0.8)
    return lambda character: likely.get(character, _RARE)


def _by_rank(characters: str, *, share: float) -> dict[str, float]:
    weights = {character: 1 / (rank + 2) for rank, character in enumerate(characters)}
    total = sum(weights.values())
    return {character: math.log(share * w / total) for character, w in weights.items()}


# The characters that are frequent in a language, and their likelihood; the page that has its usual
# characters between two first bytes, and the likelihood of these and of all others.
_EAST_ASIAN: dict[str, tuple[dict[str, float], str, int, int, float, float]] = {
    "Japanese": (
        dict.fromkeys(map(chr, range(ord("゠"), ord("ヿ") + 1)), -4.8)
        | dict.fromkeys((*map(chr, range(ord("ぁ"), ord("ゖ") + 1)), *"、。「」・！？ー"), -3.8),
        *("cp932", 0x88, 0x98, -7.5, -11),
    ),
    "Chinese": (dict.fromkeys("，。！？、：；“”《》…", -3.5), "gb2312", 0xB0, 0xD7, -6.6, -11.5),
    "Taiwanese": (dict.fromkeys("，。！？、：；「」《》…", -3.5), "big5", 0xA4, 0xC6, -6.6, -11.5),
    "Korean": ({}, "euc_kr", 0xB0, 0xC8, -6.4, -11),
}


def _east_asian(language: str, character: str) -> float:
    frequent, page, first, last, usual, other = _EAST_ASIAN[language]
    code = character.encode(page, "ignore")
    is_usual = len(code) == 2 and first <= code[0] <= last
    return frequent.get(character, usual if is_usual else other)
