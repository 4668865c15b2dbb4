"""What a person agrees to before their voice may be imitated. A version never changes its words."""

from __future__ import annotations

#: The version that is shown now.
CURRENT = "1"

STATEMENTS: dict[str, dict[str, str]] = {
    "1": {
        "en": (
            "I am the person who is heard in these recordings. I agree that this site keeps them "
            "and uses them to make a synthetic voice that imitates mine, and that texts of its "
            "courses are spoken in that voice. I know that it will say sentences that I have never "
            "said, and that listeners are told that it is synthetic.\n\n"
            "My agreement holds for what is named beside it and no longer than until the date "
            "given there. I may take it back at any time, without a reason and without any "
            "disadvantage. Then my recordings, the voice and every sound that was made with it are "
            "deleted here, and nothing more is spoken in it. What somebody downloaded before "
            "cannot be called back."
        ),
        "pt-BR": (
            "Sou a pessoa que se ouve nestas gravações. Concordo que este site as guarde e as use "
            "para criar uma voz sintética que imita a minha, e que textos de seus cursos sejam "
            "falados nessa voz. Sei que ela dirá frases que eu nunca disse, e que quem ouve é "
            "avisado de que a voz é sintética.\n\n"
            "Minha concordância vale para o que está indicado ao lado e no máximo até a data ali "
            "informada. Posso retirá-la a qualquer momento, sem dar motivo e sem nenhum prejuízo. "
            "Então minhas gravações, a voz e todo som feito com ela são apagados aqui, e nada mais "
            "é falado nela. O que alguém baixou antes não pode ser recolhido."
        ),
    }
}


def get_statement(language: str, version: str = CURRENT) -> str:
    """The words of a version in a language, in English where it has none."""
    texts = STATEMENTS[version]
    spoken = {tag.casefold(): text for tag, text in texts.items()}
    primary = language.casefold().partition("-")[0]
    near = (text for tag, text in spoken.items() if tag.partition("-")[0] == primary)
    return spoken.get(language.casefold()) or next(near, texts["en"])
