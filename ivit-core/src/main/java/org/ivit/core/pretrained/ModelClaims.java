package org.ivit.core.pretrained;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.function.IntFunction;
import org.ivit.core.image.Preprocess;

/**
 * What a source says of a model beside its tensors.
 *
 * @param keys keys of an inline description that it gives; shapes of tensors say the others
 * @param preprocess how pictures are prepared, by the model's picture size
 * @param classes names in the order of the logits; empty where it has none
 */
record ModelClaims(ObjectNode keys, IntFunction<Preprocess> preprocess, List<String> classes) {
  ModelClaims {
    classes = List.copyOf(classes);
  }
}
