import { element, facts } from './element.js';
import { size, whole } from './text.js';

/** Whether a model answers with classes. */
export function classifies(model) {
  return model.classes > 0;
}

/** Whether a model computes in floating point. */
export function floats(model) {
  return model.engine === 'float';
}

/** What computes a model: engine, instruction set and threads. */
export function hardware(model) {
  const kernels = model.kernels && model.kernels !== model.engine ? `, ${model.kernels}` : '';
  return `${model.engine}${kernels}, ${whole(model.threads)} ${model.threads === 1 ? 'thread' : 'threads'}`;
}

/** What is known of a model, and its layers in a table that opens. */
export function modelCard(model) {
  return element('article', { 'aria-label': `Model ${model.name}` },
    element('h3', {}, model.name),
    facts([
      ['Architecture', model.architecture],
      ['Family', model.family],
      ['Task', classifies(model) ? `${model.task}, ${whole(model.classes)} classes` : model.task],
      ['Input', `${model.input.width} × ${model.input.height} pixels`],
      ['Weights', `${model.bits} bits, ${size(model.bytes)}`],
      ['Engine', hardware(model)],
      ...(model.processor ? [['Processor', model.processor]] : []),
    ]),
    layers(model));
}

function layers(model) {
  const heading = (text, number) => element('th', number ? { scope: 'col', class: 'number' } : { scope: 'col' }, text);
  const number = (text) => element('td', { class: 'number' }, text);
  const rows = model.layers.map((layer) => element('tr', {},
    element('th', { scope: 'row' }, layer.name),
    element('td', {}, layer.kind),
    number(layer.shape.join(' × ')),
    number(String(layer.bits)),
    number(size(layer.bytes))));
  const total = model.layers.reduce((sum, layer) => sum + layer.bytes, 0);
  return element('details', {},
    element('summary', {}, `${whole(model.layers.length)} layers`),
    element('div', { class: 'tall', tabindex: '0', role: 'region', 'aria-label': `Layers of ${model.name}` },
      element('table', {},
        element('caption', {}, 'In the order in which they compute'),
        element('thead', {}, element('tr', {},
          heading('Layer'), heading('Kind'), heading('Shape', true), heading('Bits', true), heading('Size', true))),
        element('tbody', {}, ...rows),
        element('tfoot', {}, element('tr', {},
          element('th', { scope: 'row', colspan: '4' }, 'Together'), number(size(total)))))));
}
