"""Conversations for training: questions about a picture in several wordings, and some small talk."""

import random

from questions import DESCRIBE, YES_NO, caption, questions
from scenes import Facts

CHAT = [
    (
        ["Hello", "Hello!", "Hi", "Hi there!", "Hey", "Good morning."],
        "Hello! Send me a picture and I will describe it.",
    ),
    (
        ["Who are you?", "What are you?", "What is your name?", "Introduce yourself."],
        "I am a tiny vision-language model.",
    ),
    (
        ["What can you do?", "Help", "How can you help me?", "What should I send you?"],
        "I can describe pictures of shapes, numbers and emoji.",
    ),
    (["Thanks", "Thank you!", "Thanks a lot.", "Great, thank you."], "You are welcome."),
    (["Goodbye", "Bye", "See you later!"], "Goodbye!"),
]
SYSTEM = [
    "You are a helpful assistant.",
    "You are a helpful vision assistant.",
    "Answer briefly.",
    "You describe pictures.",
    "You are a helpful AI assistant. Answer the user's questions.",
]


def wording(question: str, rng: random.Random) -> str:
    """The question as hurried people write it."""
    u = rng.random()
    if u < 0.08:
        return question.rstrip("?.")
    if u < 0.16:
        return question.lower()
    if u < 0.20:
        return (
            f"Please {question[0].lower()}{question[1:]}" if question.endswith(".") else f"{question} Answer briefly."
        )
    return question


def conversation(facts: Facts, rng: random.Random) -> list[tuple[str, str]]:
    """Turns about one picture: ``(question, answer)``."""
    turns = [("caption", rng.choice(DESCRIBE), caption(facts)), *rng.sample(questions(facts, rng), 2)]
    yes_no = [question for question in questions(facts, rng) if question[0] in YES_NO]
    if yes_no and rng.random() < 0.6:  # the hardest to learn
        turns.append(rng.choice(yes_no))
    if rng.random() < 0.5:
        rng.shuffle(turns)
    if rng.random() < 0.05:
        asked, answer = rng.choice(CHAT)
        turns.append(("chat", rng.choice(asked), answer))
    return [(wording(question, rng), answer) for _, question, answer in turns]
