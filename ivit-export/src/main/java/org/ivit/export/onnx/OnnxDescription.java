package org.ivit.export.onnx;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.checkpoint.Provenance;
import org.ivit.core.family.Architectures;
import org.ivit.core.image.Preprocess;

/**
 * What an ONNX file says of itself beside its graph, in {@code metadata_props}.
 *
 * @param preprocess how a picture becomes the input
 * @param classes names in order of the logits; empty where they are not known, or the answer is a
 *     feature
 * @param provenance where the model comes from
 */
public record OnnxDescription(Preprocess preprocess, List<String> classes, Provenance provenance) {
  /** Copies. */
  public OnnxDescription {
    classes = List.copyOf(classes);
  }

  /**
   * @param format as the command line names it
   * @return key and value, in a fixed order; values are texts, or JSON where they have parts
   */
  Map<String, String> metadata(String format, Architecture architecture) {
    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put("format", format);
    metadata.put("architecture", Architectures.toJson(architecture).toString());
    metadata.put("preprocess", preprocess.toJson().toString());
    ArrayNode names = new ObjectMapper().createArrayNode();
    classes.forEach(names::add);
    metadata.put("answer", architecture.answer().toString());
    metadata.put("classes", names.toString());
    metadata.put("source", provenance.source());
    metadata.put("source_sha256", provenance.sourceSha256());
    metadata.put("recipe", provenance.recipe());
    metadata.put("date", provenance.date());
    metadata.put("version", provenance.version());
    metadata.put("accuracy", provenance.accuracy());
    metadata.values().removeIf(String::isEmpty);
    return metadata;
  }
}
