// Record in the page: what was said becomes one more file of the form, and the form does the rest.

const TYPES = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4"];
const EXTENSIONS = { "audio/webm": "webm", "audio/ogg": "ogg", "audio/mp4": "m4a" };
const MOST_SECONDS = 120;

function watch(box) {
  const [start, stop, time, status] = ["start", "stop", "time", "status"].map((name) =>
    box.querySelector(`[data-${name}]`),
  );
  const input = box.closest("form").querySelector("input[data-recordings]");
  let recorder = null;
  let clock = 0;

  function show(isRecording, words) {
    start.hidden = isRecording;
    stop.hidden = !isRecording;
    status.textContent = words;
    (isRecording ? stop : start).focus();
  }

  function add(blob) {
    const kind = blob.type.split(";")[0];
    const files = new DataTransfer();
    for (const file of input.files) files.items.add(file);
    const name = `${box.dataset.name}-${files.files.length + 1}.${EXTENSIONS[kind] ?? "webm"}`;
    files.items.add(new File([blob], name, { type: kind }));
    input.files = files.files;
  }

  start.addEventListener("click", async () => {
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, autoGainControl: false } });
    } catch {
      status.textContent = box.dataset.refused;
      return;
    }
    const parts = [];
    const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
    recorder = new MediaRecorder(stream, mimeType ? { mimeType, audioBitsPerSecond: 128000 } : {});
    recorder.addEventListener("dataavailable", (event) => parts.push(event.data));
    recorder.addEventListener("stop", () => {
      clearInterval(clock);
      for (const track of stream.getTracks()) track.stop();
      add(new Blob(parts, { type: recorder.mimeType }));
      show(false, box.dataset.done);
    });
    recorder.start();
    let seconds = 0;
    time.textContent = "0 s";
    clock = setInterval(() => {
      seconds += 1;
      time.textContent = `${seconds} s`;
      if (seconds >= MOST_SECONDS && recorder.state === "recording") recorder.stop();
    }, 1000);
    show(true, box.dataset.recording);
  });
  stop.addEventListener("click", () => recorder?.state === "recording" && recorder.stop());
  box.hidden = false;
}

if (window.MediaRecorder && navigator.mediaDevices?.getUserMedia) {
  document.querySelectorAll("[data-recorder]").forEach(watch);
}
