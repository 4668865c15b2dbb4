"""What is done when memory runs out or a card is lost; the faults are planted."""

from __future__ import annotations

import numpy as np
import pytest

from narration.engines.neural.faults import build_fault, read_size, translate_faults
from narration.engines.neural.ladder import find_middle, halve, join_results, speak_within_memory
from narration.exceptions import EngineError
from narration.values import EngineResult, Utterance, Waveform, WordTiming

RATE = 1000
TEXT = "The river rose at night, and nobody in the village heard it come."
OUT_OF_MEMORY = (
    "CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has a total capacity of 79.11 GiB"
)


class Card:
    """Speaks 10 samples a character, but only so many characters at once."""

    def __init__(self, room, message=OUT_OF_MEMORY):
        self.room = room
        self.message = message
        self.asked = []

    def speak(self, utterance):
        self.asked.append(utterance.text)
        if len(utterance.text) > self.room:
            raise RuntimeError(self.message)
        size = len(utterance.text)
        samples = np.full(size * 10, 0.5, dtype=np.float32)
        words = (WordTiming(0, size, 0, size * 10),)
        return EngineResult(Waveform(samples, RATE), words, device="card", evidence={"loop": size})


def ask(text=TEXT):
    return Utterance(text, "en", "voice")


def test_with_memory_it_is_spoken_once():
    card = Card(room=100)
    result = speak_within_memory(ask(), card.speak)
    assert card.asked == [TEXT]
    assert "split" not in result.evidence


def test_a_smaller_batch_is_tried_before_the_sentence_is_cut():
    card = Card(room=10)
    slots = [4, 2, 1]

    def shrink():
        if len(slots) == 1:
            return False
        slots.pop(0)
        card.room = 100 if slots == [1] else 10
        return True

    result = speak_within_memory(ask(), card.speak, shrink=shrink)
    assert card.asked == [TEXT] * 3
    assert "split" not in result.evidence


def test_the_sentence_is_cut_at_the_clause_and_joined():
    card = Card(room=45)
    result = speak_within_memory(ask(), card.speak)
    first, second = "The river rose at night,", "and nobody in the village heard it come."
    assert card.asked == [TEXT, first, second]
    assert result.evidence == {"split": 2, "loop": len(second)}
    assert result.device == "card"
    assert len(result.waveform.samples) == (len(first) + len(second)) * 10
    spoken = [TEXT[word.spoken_start : word.spoken_end] for word in result.words]
    assert spoken == [first, second]
    assert [(word.start_ms, word.end_ms) for word in result.words] == [(0, 240), (240, 640)]


def test_a_piece_that_is_still_too_long_is_cut_again():
    card = Card(room=24)
    result = speak_within_memory(ask(), card.speak)
    assert result.evidence["split"] == 3
    assert [TEXT[w.spoken_start : w.spoken_end] for w in result.words] == [
        "The river rose at night,",
        "and nobody in the",
        "village heard it come.",
    ]


def test_a_whole_batch_is_what_every_piece_is_tried_with():
    """A batch that was made smaller stays so: shrink is not asked again once it could not."""
    card = Card(room=45)
    asked = []
    speak_within_memory(ask(), card.speak, shrink=lambda: bool(asked.append(1)))
    assert len(asked) == 1


def test_it_fails_with_a_number_and_a_hint():
    card = Card(room=3)
    with pytest.raises(EngineError) as caught:
        speak_within_memory(ask(), card.speak)
    error = caught.value
    assert error.code == "out_of_memory"
    assert not error.is_permanent
    assert "2,684,354,560 bytes" in error.message
    assert "Give the card to this engine alone" in error.message
    assert card.asked == [TEXT, "The river rose at night,", "The river"]


def test_a_word_alone_is_not_cut():
    with pytest.raises(EngineError, match="6 characters"):
        speak_within_memory(ask("Rivers"), Card(room=1).speak)


def test_the_processor_speaks_only_where_it_may(capsys):
    processor = Card(room=1000)
    result = speak_within_memory(ask(), Card(room=3).speak, speak_on_cpu=processor.speak)
    assert processor.asked == [TEXT]
    assert result.device == "cpu"
    assert result.evidence == {"loop": len(TEXT), "on_cpu": True}
    assert "processor" in capsys.readouterr().err
    with pytest.raises(EngineError):
        speak_within_memory(ask(), Card(room=3).speak)


def test_a_lost_card_is_not_asked_again():
    card, processor = Card(0, "CUDA error: device-side assert triggered"), Card(room=1000)
    with pytest.raises(EngineError) as caught:
        speak_within_memory(ask(), card.speak, speak_on_cpu=processor.speak)
    assert (caught.value.code, caught.value.is_permanent) == ("device_lost", False)
    assert card.asked == [TEXT]
    assert not processor.asked


def test_other_errors_pass():
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        speak_within_memory(ask(), Card(0, "mat1 and mat2 shapes cannot be multiplied").speak)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (OUT_OF_MEMORY, "out_of_memory"),
        ("CUDA error: out of memory\nCUDA kernel errors might be …", "out_of_memory"),
        ("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`", "out_of_memory"),
        ("CPUAllocator: can't allocate memory: you tried to allocate 9 bytes.", "out_of_memory"),
        ("CUDA error: device-side assert triggered", "device_lost"),
        ("CUDA error: an illegal memory access was encountered", "device_lost"),
        ("CUDA error: unspecified launch failure", "device_lost"),
        ("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED", "device_lost"),
        ("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm`", "device_lost"),
        ("CUDA error: no kernel image is available for execution on the device", "device_unfit"),
    ],
)  # fmt: skip
def test_errors_are_told_apart(text, code):
    fault = build_fault(RuntimeError(text))
    assert fault.code == code
    assert fault.is_permanent == (code == "device_unfit")


def test_python_running_out_of_memory_is_one_too():
    with pytest.raises(EngineError, match="Out of memory") as caught, translate_faults():
        raise MemoryError
    assert caught.value.code == "out_of_memory"


def test_an_engines_own_error_passes_as_it_is():
    error = EngineError("No voice.", code="unsupported_voice")
    with pytest.raises(EngineError) as caught, translate_faults():
        raise error
    assert caught.value is error


def test_what_failed_lets_go_of_its_memory():
    import weakref

    held = []

    def speak(_utterance):
        tensor = np.zeros(9)
        held.append(weakref.ref(tensor))
        raise RuntimeError(OUT_OF_MEMORY)

    def shrink():
        """Memory must be free before anything else is tried."""
        assert held[0]() is None
        return False

    with pytest.raises(EngineError):
        speak_within_memory(ask("Rivers"), speak, shrink=shrink)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("Tried to allocate 20.00 MiB.", 20 * 2**20),
        ("you tried to allocate 4000 bytes.", 4000),
        ("no number", 0),
    ],
)
def test_sizes(text, size):
    assert read_size(text) == size


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("One, two three four five six seven.", ["One, two three", "four five six seven."]),
        ("It was 3,141 metres high; nobody knew.", ["It was 3,141 metres high;", "nobody knew."]),
        ("今天下雨，河水涨了。", ["今天下雨，", "河水涨了。"]),
        ("今天下雨河水涨了", ["今天下雨", "河水涨了"]),
        ("word !!!", None),
        ("word", None),
    ],
)
def test_where_a_sentence_is_cut(text, pieces):
    middle = find_middle(text)
    assert ([piece for _, piece in halve(text, middle)] if middle else None) == pieces
    if middle:
        assert all(text[at:].startswith(piece) for at, piece in halve(text, middle))


def test_what_is_true_of_a_piece_is_true_of_the_whole():
    def speak(evidence):
        return EngineResult(Waveform(np.zeros(3, np.float32), RATE), evidence=evidence)

    joined = join_results([(0, speak({"hit_limit": True})), (9, speak({"hit_limit": False}))])
    assert joined.evidence == {"hit_limit": True, "split": 2}
    swapped = join_results([(0, speak({"hit_limit": False})), (9, speak({"hit_limit": True}))])
    assert swapped.evidence["hit_limit"] is True
