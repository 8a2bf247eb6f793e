import { SHOWN } from './agreement.js';
import { element, facts } from './element.js';
import { hardware } from './models.js';
import { milliseconds, percent, whole } from './text.js';

/**
 * What a model answered: the likeliest classes with bars, the time, and what computed it.
 *
 * @param model as the server describes it
 * @param answer as the server gave it
 * @param {?Set<number>} shared classes that the model beside it has among its own likeliest; null without one
 */
export function answerCard(model, answer, shared) {
  const scores = answer.top.slice(0, SHOWN).map((score) => scoreLine(score, shared !== null && !shared.has(score.index)));
  const { ms } = answer;
  return element('article', { 'aria-label': `Answer of ${model.name}` },
    element('h3', {}, model.name),
    element('ol', { class: 'scores' }, ...scores),
    facts([
      ['Time', `${milliseconds(ms.total)}: ${times(ms)}`],
      ['Computed by', hardware(model)],
      ...(answer.batch > 1 ? [['In a batch of', whole(answer.batch)]] : []),
    ]));
}

function times(ms) {
  return [['decoding', ms.decode], ['transform', ms.transform], ['waiting', ms.wait], ['model', ms.infer]]
    .map(([what, time]) => `${what} ${milliseconds(time)}`)
    .join(', ');
}

function scoreLine(score, alone) {
  const bar = element('div', { class: 'bar' });
  bar.style.width = `${100 * score.probability}%`;
  const details = [
    ...(score.id && score.id !== score.name ? [score.id] : []),
    `logit ${Number.isInteger(score.logit) ? whole(score.logit) : score.logit.toFixed(3)}`,
    ...(alone ? ['here only'] : []),
  ];
  return element('li', alone ? { class: 'alone' } : {},
    element('div', { class: 'line' },
      element('span', { class: 'name' }, score.name),
      element('span', { class: 'probability' }, percent(score.probability))),
    element('div', { class: 'track', 'aria-hidden': 'true' }, bar),
    element('small', {}, details.join(' · ')));
}

/** How far two models agree, as {@link agreement} found it. */
export function agreementCard(found) {
  const verdict = element('span', { class: found.same ? 'right' : 'wrong' }, found.same ? 'the same' : 'not the same');
  return element('article', { class: 'whole', 'aria-label': 'Agreement' },
    element('h3', {}, 'Agreement'),
    facts([
      ['Likeliest class', verdict],
      [`Of the first ${SHOWN}`, `${found.shared.size} in common`],
      ['Greatest difference', `${(100 * found.difference).toFixed(2)} points of probability, at ${found.name}`],
    ]));
}
