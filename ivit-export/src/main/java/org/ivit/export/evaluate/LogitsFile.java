package org.ivit.export.evaluate;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.IntStream;
import org.ivit.core.tensor.Safetensors;
import org.ivit.core.tensor.Tensor;
import org.ivit.export.model.Logits;
import org.ivit.export.model.ModelIdentity;

/**
 * Logits as a safetensors file: {@code logits} [pictures, classes], I32 with {@code scale} in the
 * metadata or F32, and {@code labels} [pictures], I32; rows in order of the pictures' names, which
 * the metadata holds as the JSON list {@code files}.
 */
public final class LogitsFile {
  private LogitsFile() {}

  /** Writes the answers of a model; the file is complete or not there. */
  public static void write(Path file, Answers answers, ModelIdentity model) {
    Logits logits = answers.logits();
    int images = logits.images();
    int classes = logits.classes();
    int[] order =
        IntStream.range(0, images)
            .boxed()
            .sorted(Comparator.comparing((Integer i) -> answers.names().get(i)))
            .mapToInt(Integer::intValue)
            .toArray();
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    Map<String, String> metadata = new LinkedHashMap<>();
    if (logits.integer()) {
      int[] codes = new int[images * classes];
      for (int i = 0; i < images; i++) {
        System.arraycopy(logits.codes(), order[i] * classes, codes, i * classes, classes);
      }
      tensors.put("logits", Tensor.of(codes, images, classes));
      metadata.put("scale", Float.toString(logits.scale()));
      metadata.put("scale_hex", Float.toHexString(logits.scale()));
    } else {
      float[] values = new float[images * classes];
      for (int i = 0; i < images; i++) {
        System.arraycopy(logits.values(), order[i] * classes, values, i * classes, classes);
      }
      tensors.put("logits", Tensor.of(values, images, classes));
    }
    tensors.put(
        "labels", Tensor.of(Arrays.stream(order).map(i -> answers.labels()[i]).toArray(), images));
    ArrayNode names = JsonNodeFactory.instance.arrayNode();
    for (int i : order) {
      names.add(answers.names().get(i));
    }
    metadata.put("files", names.toString());
    metadata.put("model", model.path());
    metadata.put("model_sha256", model.sha256());
    Safetensors.write(file, tensors, metadata);
  }
}
