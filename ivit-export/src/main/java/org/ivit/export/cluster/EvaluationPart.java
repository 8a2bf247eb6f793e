package org.ivit.export.cluster;

import java.io.Serializable;
import java.util.Comparator;
import java.util.List;
import org.ivit.core.InputException;
import org.ivit.export.model.Logits;

/**
 * The logits of a run of pictures, or why a worker refused: an exception of a worker would lose its
 * class on the way.
 *
 * @param from index of the first picture
 * @param logits of the pictures; null where refused
 * @param refusal the message for the user, or null
 */
public record EvaluationPart(int from, Logits logits, String refusal) implements Serializable {
  /**
   * All parts as one, in the order of the pictures.
   *
   * @param parts at least one
   * @throws InputException what a worker refused, of the first picture where several did
   */
  public static EvaluationPart join(List<EvaluationPart> parts) {
    List<EvaluationPart> ordered =
        parts.stream().sorted(Comparator.comparingInt(EvaluationPart::from)).toList();
    for (EvaluationPart part : ordered) {
      if (part.refusal != null) {
        throw new InputException(part.refusal);
      }
    }
    return new EvaluationPart(
        ordered.get(0).from, Logits.join(ordered.stream().map(p -> p.logits).toList()), null);
  }
}
