/** How many of the likeliest classes are shown and compared. */
export const SHOWN = 5;

/**
 * Compares what two models with the same classes answered to a picture.
 *
 * @param a {top: [{index, name, probability}]}, all classes, the likeliest first
 * @param b the same of the other model
 * @returns {{same: boolean, shared: Set<number>, difference: number, name: string}} whether the likeliest class is the same,
 *     which are among the likeliest of both, and the greatest difference of a class's probability with the class's name
 */
export function agreement(a, b) {
  const firsts = (answer) => answer.top.slice(0, SHOWN).map((score) => score.index);
  const others = new Set(firsts(b));
  const probabilities = new Map(b.top.map((score) => [score.index, score.probability]));
  let difference = 0;
  let name = a.top[0].name;
  for (const score of a.top) {
    const apart = Math.abs(score.probability - (probabilities.get(score.index) ?? 0));
    if (apart > difference) {
      difference = apart;
      name = score.name;
    }
  }
  return {
    same: a.top[0].index === b.top[0].index,
    shared: new Set(firsts(a).filter((index) => others.has(index))),
    difference,
    name,
  };
}

/** An answer with the names that another model gives its classes, where the model itself only numbers them. */
export function withNames(answer, other) {
  const labels = new Map(other.top.map((score) => [score.index, score]));
  const top = answer.top.map((score) => {
    const label = labels.get(score.index);
    return label && score.name === `class ${score.index}` ? { ...score, id: label.id, name: label.name } : score;
  });
  return { ...answer, top };
}
