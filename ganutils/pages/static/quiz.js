/** The chance of exactly k right of n, each right with probability p. */
function binomial(k, n, p) {
  if (p <= 0 || p >= 1) return Number(k === (p <= 0 ? 0 : n));
  let log = k * Math.log(p) + (n - k) * Math.log1p(-p);
  for (let i = 1; i <= k; i++) log += Math.log((n - k + i) / i);
  return Math.exp(log);
}

/** The exact 95 % interval of a share of which k of n were seen (Clopper and Pearson 1934): [low, high]. */
function interval(k, n) {
  const tail = (from, to, p) => {
    let sum = 0;
    for (let i = from; i <= to; i++) sum += binomial(i, n, p);
    return sum;
  };
  const solve = (isBelow) => {
    let low = 0, high = 1;
    for (let i = 0; i < 60; i++) {
      const middle = (low + high) / 2;
      isBelow(middle) ? (low = middle) : (high = middle);
    }
    return low;
  };
  const low = k === 0 ? 0 : solve((p) => tail(k, n, p) < 0.025);
  const high = k === n ? 1 : solve((p) => tail(0, k, p) > 0.025);
  return [low, high];
}

const sides = [$("left"), $("right")];
const sideNames = ["left", "right"];
const areSounds = data.noun === "sound";
const how = areSounds ? "Listen to both and choose the real one" : "Click the real one";
$("question").textContent = `One of these ${data.noun}s is real, the other was made by a generator. ${how}, or press ← or →.`;
$("frames").textContent = `The real ${data.noun} of each pair has a green frame.`;
const shown = sides.map((button, side) => { // a picture in each button, or a player above it
  button.ariaLabel = `The ${sideNames[side]} ${data.noun} is real`;
  const one = sample("", `${sideNames[side]} ${data.noun}`);
  if (areSounds) {
    const box = make("div", {}, one);
    button.replaceWith(box);
    box.append(button);
    button.textContent = "This one is real";
  } else {
    button.append(one);
  }
  return one;
});

/** A picture, or a player of a sound; only one plays at a time. */
function sample(src, name, className = "") {
  if (!areSounds) return make("img", { src, className, alt: name });
  const player = make("audio", { src, className, controls: true, ariaLabel: name });
  player.addEventListener("play", () => {
    for (const other of document.querySelectorAll("audio")) if (other !== player) other.pause();
  });
  return player;
}

let answers = []; // of each round, the side that was taken for real: 0 or 1

function ask() {
  const round = data.rounds[answers.length];
  $("progress").textContent = `Round ${answers.length + 1} of ${data.rounds.length}`;
  $("verdict").textContent = "";
  $("next").hidden = true;
  sides.forEach((button, side) => {
    button.className = "";
    shown[side].src = round.samples[side];
  });
}

function answer(side) {
  if (!$("next").hidden || $("round").hidden) return;
  const round = data.rounds[answers.length];
  answers.push(side);
  sides.forEach((button, i) => (button.className = i === round.real ? "real" : "made"));
  const truth = `the ${sideNames[round.real]} ${data.noun} is real`;
  $("verdict").textContent = side === round.real ? `Right: ${truth}.` : `Wrong: ${truth}.`;
  $("next").textContent = answers.length < data.rounds.length ? "Next" : "See the result";
  $("next").hidden = false;
  $("next").focus();
}

function next() {
  if (answers.length < data.rounds.length) ask();
  else showResult();
}

function showResult() {
  const n = answers.length;
  const right = answers.filter((side, i) => side === data.rounds[i].real).length;
  const percent = (share) => `${Math.round(100 * share)} %`;
  const [low, high] = interval(right, n);
  $("score").textContent = `${right} of ${n} right (${percent(right / n)})`;
  const range = `With 95 % confidence you are right ${percent(low)} to ${percent(high)} of the time`;
  $("meaning").textContent =
    low > 0.5 ? `${range}: you can tell them apart.`
    : high < 0.5 ? `${range}: you can tell them apart, but take the made ones for real.`
    : `${range}: no better than a coin, as far as ${n} rounds can tell.`;
  $("sheet").replaceChildren(...data.rounds.map((round, i) => {
    const isRight = answers[i] === round.real;
    const pair = round.samples.map((src, side) => {
      const kind = side === round.real ? "real" : "made";
      return sample(src, `${sideNames[side]}: ${kind}`, kind);
    });
    return make("li", {}, ...pair, make("div", {}, `${i + 1}: ${isRight ? "right" : "wrong"}`));
  }));
  $("round").hidden = true;
  $("result").hidden = false;
  $("score").focus();
}

function start() {
  answers = [];
  $("round").hidden = false;
  $("result").hidden = true;
  ask();
}

sides.forEach((button, side) => button.addEventListener("click", () => answer(side)));
$("next").addEventListener("click", next);
$("again").addEventListener("click", start);
addEventListener("keydown", (event) => {
  if (event.target.tagName === "AUDIO") return; // where arrows wind
  if (event.key === "ArrowLeft") answer(0);
  if (event.key === "ArrowRight") answer(1);
});
start();
