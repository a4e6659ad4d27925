"""Which of our two languages a reader asked for."""

from billing.phrases import Lang


def language_of(accepted: str | None) -> Lang:
    """The first of ours in an ``Accept-Language``; Chinese when there is none."""
    for wanted in (accepted or "").lower().split(","):
        if wanted.strip().startswith("en"):
            return "en"
        if wanted.strip().startswith("zh"):
            return "zh"
    return "zh"
