"""The learner's player in a real Chromium, on a page as the plugin's templates make it."""

import json

import pytest

from tests.player.conftest import MANIFEST

pytestmark = pytest.mark.browser

LIT = "[...(CSS.highlights.get('narration-sentence') ?? [])].map(String).join('')"
WORD = "[...(CSS.highlights.get('narration-word') ?? [])].map(String).join('')"
PLAYER = "document.querySelector('narration-player')"
AUDIO = "document.querySelector('audio')"
PAGE_STATE = f"[document.querySelector('article').outerHTML, CSS.highlights.size, {AUDIO}.paused]"


def wait_until(page, expression, seconds=8):
    """Playwright's own wait evaluates inside the page, which the page's policy forbids."""
    for _ in range(seconds * 50):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(20)
    raise AssertionError(f"never true: {expression}")


def press_play(page):
    page.click("[data-part=play]")
    wait_until(page, f"{AUDIO}.currentTime > 0.1 && document.querySelector('.nr-listening')")


def stand_at(page, milliseconds):
    """Pause the sound just there."""
    page.evaluate(f"{AUDIO}.pause(), {PLAYER}.seek({milliseconds} / 1000)")
    wait_until(page, f"!{AUDIO}.seeking")


def get_ms(page):
    return page.evaluate(f"{AUDIO}.currentTime * 1000")


def show(text):
    """A display text as the page's DOM says it: the fixture's formula holds other characters."""
    return text.replace("f = 1/T", "f=1T")


def test_the_page_is_left_alone_before_play(open_page, site):
    page = open_page()
    wait_until(page, "document.querySelector('.nr-wave path')")
    before = page.evaluate(PAGE_STATE)
    page.click("#p1-1")
    page.keyboard.press("k")
    page.hover("#p5-1")
    assert page.evaluate(PAGE_STATE) == before
    assert before[1:] == [0, True]
    assert page.evaluate("document.documentElement.className + document.body.className") == ""
    assert not [path for path in site.requests if MANIFEST in path or ".mp3" in path]


def test_the_lit_text_is_the_sentence_being_said_while_it_plays(open_page, lesson):
    page = open_page()
    page.select_option("[data-part=speed]", "2")
    press_play(page)
    samples = page.evaluate(
        f"""() => new Promise((resolve) => {{
          const samples = [];
          const look = () => {{
            samples.push([{AUDIO}.currentTime * 1000, {LIT}]);
            if ({AUDIO}.currentTime < 9) requestAnimationFrame(look);
            else resolve(samples);
          }};
          look();
        }})"""
    )
    late_ms = 100  # 50 ms of the learner's time at double speed
    judged = set()
    for ms, lit in samples:
        for segment in lesson.manifest["segments"]:
            if segment["start_ms"] + late_ms <= ms < segment["end_ms"]:
                assert lit == show(segment["text"]), ms
                judged.add(segment["position"])
    assert judged == {0, 1, 2, 3, 4, 5}


@pytest.mark.parametrize("position", [2, 4, 5, 0, 27, 3])
def test_a_seek_lights_the_sentence_at_its_new_place(open_page, lesson, position):
    page = open_page()
    press_play(page)
    segment = lesson.manifest["segments"][position]
    stand_at(page, segment["start_ms"] + 5)
    assert page.evaluate(LIT) == show(segment["text"])
    assert page.evaluate(f"{PLAYER}.currentSegment") == position
    anchors = page.evaluate(
        "[...CSS.highlights.get('narration-sentence')].map((range) =>"
        " (range.startContainer.closest ? range.startContainer"
        " : range.startContainer.parentElement).closest('[data-narration]').dataset.narration)"
    )
    assert set(anchors) == {segment["anchor"]}
    stand_at(page, segment["end_ms"] - 5)
    assert page.evaluate(LIT) == show(segment["text"])


@pytest.mark.parametrize("position", [1, 2, 3, 5, 7])
def test_every_word_is_lit_while_it_is_said(open_page, lesson, position):
    page = open_page()
    press_play(page)
    segment = lesson.manifest["segments"][position]
    for start, end, start_ms, end_ms in segment["words"]:
        stand_at(page, (start_ms + end_ms) // 2)
        word, lit = segment["text"][start:end], page.evaluate(WORD)
        assert lit == ("f=1T" if position == 5 and word in ("f", "=", "1/T") else word)


def test_a_formula_lights_as_a_whole(open_page, lesson):
    page = open_page()
    press_play(page)
    word = lesson.manifest["segments"][5]["words"][5]
    stand_at(page, word[2] + 10)
    assert page.get_attribute("math", "class") == "nr-lit nr-lit-word"
    stand_at(page, 600)
    assert not page.get_attribute("math", "class")


def test_a_clause_is_lit_alone_and_can_be_clicked(open_page, lesson):
    page = open_page()
    press_play(page)
    second = lesson.manifest["segments"][7]
    stand_at(page, second["start_ms"] + 100)
    assert page.evaluate(LIT) == second["text"]
    stand_at(page, 600)
    box = page.evaluate(
        """() => {
          const text = document.querySelector('#p2-2').firstChild;
          const range = document.createRange();
          range.setStart(text, text.data.indexOf('slow'));
          range.setEnd(text, text.data.indexOf('slow') + 4);
          const box = range.getBoundingClientRect();
          return [box.x + box.width / 2, box.y + box.height / 2];
        }"""
    )
    page.mouse.click(*box)
    assert 0 <= get_ms(page) - second["start_ms"] < 500


def test_clicking_a_sentence_plays_it_from_its_start(open_page, lesson):
    page = open_page()
    press_play(page)
    stand_at(page, 600)
    page.click("#p1-3")
    wait_until(page, f"!{AUDIO}.paused")
    assert 0 <= get_ms(page) - lesson.manifest["segments"][3]["start_ms"] < 500
    assert page.evaluate(LIT) == lesson.manifest["segments"][3]["text"]


def test_links_selections_and_modified_clicks_stay_the_readers(open_page):
    page = open_page()
    press_play(page)
    stand_at(page, 600)
    page.click("#p2-1 a")
    assert page.url.endswith("#hertz")
    page.click("#p1-3", modifiers=["Control"])
    page.evaluate("getSelection().selectAllChildren(document.querySelector('#p1-1'))")
    page.evaluate("document.querySelector('#p1-1').click()")
    assert get_ms(page) == pytest.approx(600, abs=1)
    assert page.evaluate(f"{AUDIO}.paused")


def test_keys_move_the_sound_but_never_what_is_typed(open_page):
    page = open_page()
    press_play(page)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("k")
    assert page.evaluate(f"{AUDIO}.paused")
    stand_at(page, 2_200)
    page.keyboard.press("l")
    assert get_ms(page) == pytest.approx(3_700, abs=20)
    page.keyboard.press("j")
    assert get_ms(page) == pytest.approx(2_100, abs=20)
    page.keyboard.press("ArrowRight")
    assert get_ms(page) == pytest.approx(12_100, abs=20)
    page.focus("#notes")
    page.keyboard.type("k l j c")
    assert page.input_value("#notes") == "k l j c"
    page.focus("[data-part=speed]")
    page.keyboard.press("l")
    assert page.evaluate(f"{AUDIO}.paused")
    assert get_ms(page) == pytest.approx(12_100, abs=20)


def test_keys_of_the_page_can_be_given_back(open_page):
    page = open_page()
    press_play(page)
    page.click("summary >> text=Settings and keys")
    page.uncheck("[data-part=keys]")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("k")
    assert not page.evaluate(f"{AUDIO}.paused")
    page.focus("[data-part=play]")
    page.keyboard.press("k")
    assert page.evaluate(f"{AUDIO}.paused")


def test_the_slider_says_where_it_is_in_words(open_page):
    page = open_page()
    press_play(page)
    stand_at(page, 1_000)
    page.focus("[data-part=seek]")
    page.keyboard.press("PageUp")
    assert get_ms(page) == pytest.approx(31_000, abs=20)
    assert page.get_attribute("[data-part=seek]", "aria-valuetext") == "31 seconds of 46 seconds"


def test_choices_outlive_the_page(open_page, lesson):
    page = open_page()
    page.select_option("[data-part=speed]", "1.5")
    page.click("summary >> text=Settings and keys")
    page.select_option("[data-part=highlight]", "sentence")
    page.click("[data-part=captions]")
    page.reload()
    press_play(page)
    stand_at(page, 2_500)
    assert page.evaluate(f"{AUDIO}.playbackRate") == 1.5
    assert page.evaluate(LIT) == lesson.manifest["segments"][1]["text"]
    assert page.evaluate(WORD) == ""
    assert not page.is_visible("[data-part=line]")
    page.click("summary >> text=Settings and keys")
    page.select_option("[data-part=highlight]", "off")
    assert page.evaluate("CSS.highlights.size") == 0


def test_nothing_is_lit_when_it_is_over(open_page):
    page = open_page()
    press_play(page)
    page.evaluate(f"{PLAYER}.seek(999)")
    wait_until(page, f"{AUDIO}.ended")
    assert page.evaluate(f"[CSS.highlights.size, {PLAYER}.currentSegment]") == [0, None]
    assert page.get_attribute("[data-part=play]", "aria-label") == "Play"


def test_a_browser_without_highlights_gets_a_class(chromium, site, lesson):
    context = chromium.new_context()
    page = context.new_page()
    page.add_init_script("delete CSS.highlights; delete window.Highlight;")
    page.goto(f"{site.url}/lesson.html")
    press_play(page)
    stand_at(page, lesson.manifest["segments"][2]["start_ms"] + 100)
    lit = page.evaluate(
        "[...document.querySelectorAll('.nr-lit')].map((e) => e.textContent).join('')"
    )
    context.close()
    assert lit == "Nothing travels but the push."


def test_segments_are_told_to_the_page(open_page):
    page = open_page()
    page.evaluate(
        "window.told = [];"
        "addEventListener('narration:segment', (event) => told.push(event.detail.position))"
    )
    press_play(page)
    for milliseconds in (600, 2_500, 9_000):
        stand_at(page, milliseconds)
    assert page.evaluate("told")[-3:] == [0, 1, 5]


def test_a_withdrawn_narration_is_explained_and_can_be_retried(open_page, site):
    page = open_page()
    withdrawn = {path: site.pages.pop(path) for path in list(site.pages) if path != "/lesson.html"}
    page.click("[data-part=play]")
    page.wait_for_selector("[role=alert] >> text=no longer available")
    site.pages.update(withdrawn)
    page.click("[data-action=retry]")
    wait_until(page, f"{AUDIO}.currentTime > 0.1 && document.querySelector('.nr-listening')")
    page.wait_for_selector("[role=alert]", state="hidden")
    assert all("404" in complaint for complaint in open_page.complaints)
    open_page.complaints.clear()


def test_a_page_older_than_its_narration_lights_nothing(open_page, site, lesson):
    newer = {**lesson.manifest, "track": "track-2"}
    site.pages[MANIFEST] = json.dumps(newer).encode()
    page = open_page()
    page.click("[data-part=play]")
    page.wait_for_selector("[role=alert] >> text=newer version")
    assert page.evaluate("CSS.highlights.size") == 0


def test_a_lost_connection_is_told_in_plain_words(open_page):
    page = open_page()
    page.context.set_offline(True)
    page.click("[data-part=play]")
    page.wait_for_selector("[role=alert] >> text=connection was lost")
    open_page.complaints.clear()  # Chromium's own words about the network


def test_the_page_follows_the_voice_unless_the_reader_looks_elsewhere(open_page):
    page = open_page(viewport={"width": 800, "height": 500})
    press_play(page)
    page.evaluate(f"{PLAYER}.seek(40)")
    wait_until(page, "scrollY > 300")
    page.wait_for_timeout(1_300)
    page.mouse.move(400, 200)
    page.mouse.wheel(0, -3_000)
    wait_until(page, "scrollY < 50")
    page.wait_for_timeout(2_000)  # a sentence or more goes by
    assert page.evaluate("scrollY") < 50


def test_the_player_docks_when_it_leaves_the_window(open_page):
    page = open_page(viewport={"width": 360, "height": 640})
    page.evaluate("scrollTo(0, 1500)")
    page.wait_for_timeout(200)
    assert not page.query_selector(".is-docked")
    page.evaluate("scrollTo(0, 0)")
    press_play(page)
    page.evaluate("scrollTo(0, 1500)")
    page.wait_for_selector(".is-docked")
    box = page.locator("[data-part=controls]").bounding_box()
    assert box["y"] + box["height"] == 640
    assert box["height"] < 120
    page.click("[data-action=undock]")
    assert not page.query_selector(".is-docked")
    assert page.evaluate(f"{AUDIO}.paused")


def test_the_wave_and_the_lit_sentence_agree_in_both_formats(chromium, site, lesson):
    """What is heard after a seek is the sentence that is lit: each has a pitch of its own."""
    listen = """async () => {
      const audio = document.querySelector('audio');
      const context = new AudioContext();
      const analyser = new AnalyserNode(context, { fftSize: 16384, smoothingTimeConstant: 0 });
      context.createMediaElementSource(audio).connect(analyser).connect(context.destination);
      await context.resume();
      const bins = new Float32Array(analyser.frequencyBinCount);
      const heard = [];
      for (const position of [20, 3, 27, 11]) {
        await new Promise((resolve) => {
          audio.addEventListener('seeked', resolve, { once: true });
          audio.currentTime = (500 + 1600 * position + 300) / 1000;
        });
        await audio.play();
        await new Promise((resolve) => setTimeout(resolve, 600));
        analyser.getFloatFrequencyData(bins);
        const loudest = bins.indexOf(Math.max(...bins));
        heard.push([position, loudest * context.sampleRate / analyser.fftSize]);
      }
      return heard;
    }"""
    for unwanted in ("opus", "mp3"):
        context = chromium.new_context()
        page = context.new_page()
        page.goto(f"{site.url}/lesson.html")
        page.evaluate(f"document.querySelector('source[src$={unwanted}]').remove()")
        page.evaluate("document.querySelector('audio').load()")
        press_play(page)
        for position, hertz in page.evaluate(listen):
            assert hertz == pytest.approx(300 + 20 * position, abs=9), (unwanted, position)
        context.close()
