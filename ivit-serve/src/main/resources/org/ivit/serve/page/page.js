import { agreement, SHOWN, withNames } from './agreement.js';
import { agreementCard, answerCard } from './answers.js';
import { element } from './element.js';
import { classifies, floats, modelCard } from './models.js';
import { drawn, listenForPictures } from './pictures.js';
import { Server } from './server.js';
import { milliseconds, percent } from './text.js';

const byId = (id) => document.getElementById(id);
const server = new Server(askToken);
let models = [];
let picture = null;
let running = new AbortController();

function askToken(reason) {
  const dialog = byId('token-dialog');
  byId('token-reason').textContent = reason;
  byId('token').value = '';
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'use' ? byId('token').value : null), { once: true });
  });
}

/** Says in a line what went wrong, with a button where another try may help. */
function fail(message, again = null) {
  const retry = again === null ? [] : [element('button', { type: 'button' }, 'Try again')];
  for (const button of retry) button.addEventListener('click', again);
  byId('status').textContent = '';
  byId('failure').replaceChildren(element('div', {}, message), ...retry);
}

async function loadModels() {
  try {
    models = await server.models();
  } catch (failure) {
    fail(failure.message, loadModels);
    return;
  }
  byId('failure').replaceChildren();
  byId('models').replaceChildren(...models.map(modelCard));
  offerModels(models.filter(classifies));
}

/** The first of integers, and where there is one the first of floats beside it. */
function offerModels(classifiers) {
  const options = () => classifiers.map((model) => element('option', { value: model.name }, model.name));
  byId('first').replaceChildren(...options());
  byId('second').replaceChildren(element('option', { value: '' }, 'none'), ...options());
  byId('choice').hidden = classifiers.length < 2;
  const first = classifiers.find((model) => !floats(model)) ?? classifiers[0];
  const others = classifiers.filter((model) => model !== first);
  byId('first').value = first?.name ?? '';
  byId('second').value = (others.find(floats) ?? others[0])?.name ?? '';
  if (classifiers.length === 0) byId('status').textContent = 'No model here answers with classes.';
}

function chosenModels() {
  const names = new Set([byId('first').value, byId('second').value]);
  return [...names].map((name) => models.find((model) => model.name === name)).filter((model) => model);
}

function show(taken) {
  URL.revokeObjectURL(byId('picture').src);
  picture = taken;
  byId('picture').src = URL.createObjectURL(taken);
  byId('picture').alt = `Picture ${taken.name || 'pasted'}`;
  byId('picture').hidden = false;
  byId('turn').hidden = false;
  byId('frame').classList.add('filled');
  byId('file-name').textContent = taken.name || '';
  classify();
}

async function turn() {
  const image = byId('picture');
  // As JPEG: a PNG of a photo would be too long for the server.
  const turned = await drawn(image, image.naturalWidth, image.naturalHeight, 1, 'image/jpeg');
  show(new File([turned], picture.name, { type: turned.type }));
}

async function classify() {
  const chosen = chosenModels();
  if (picture === null || chosen.length === 0) return;
  running.abort();
  running = new AbortController();
  const { signal } = running;
  byId('failure').replaceChildren();
  byId('status').textContent = 'Looking …';
  byId('answers').classList.add('busy');
  byId('answers').setAttribute('aria-busy', 'true');
  try {
    const answers = [];
    // One after the other, so that neither slows the other's time.
    for (const model of chosen) {
      answers.push(await server.classify(picture, model.name, comparable(chosen) ? model.classes : SHOWN, signal));
    }
    showAnswers(chosen, answers);
  } catch (failure) {
    if (signal.aborted) return;
    byId('answers').replaceChildren();
    const wait = failure.retryAfter ? ` Try again in ${failure.retryAfter} s.` : '';
    fail(failure.message + wait, classify);
  }
  byId('answers').classList.remove('busy');
  byId('answers').removeAttribute('aria-busy');
}

/** Whether two models are chosen whose classes can be compared by their number. */
function comparable(chosen) {
  return chosen.length === 2 && chosen[0].classes === chosen[1].classes;
}

function showAnswers(chosen, given) {
  const both = comparable(chosen);
  const answers = both ? [withNames(given[0], given[1]), withNames(given[1], given[0])] : given;
  const found = both ? agreement(...answers) : null;
  const cards = chosen.map((model, i) => answerCard(model, answers[i], found?.shared ?? null));
  byId('answers').replaceChildren(...cards, ...(found === null ? [] : [agreementCard(found)]));
  const [best] = answers[0].top;
  byId('status').textContent = [
    `${best.name}, ${percent(best.probability)}, in ${milliseconds(answers[0].ms.total)}.`,
    ...(found === null ? [] : [found.same ? 'Both models say so.' : `${chosen[1].name} says ${answers[1].top[0].name}.`]),
  ].join(' ');
}

listenForPictures(byId, { taken: show, failed: fail });
byId('turn').addEventListener('click', turn);
for (const id of ['first', 'second']) byId(id).addEventListener('change', classify);
loadModels();
