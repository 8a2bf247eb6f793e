package org.ivit.train.recipe;

import com.fasterxml.jackson.annotation.JsonValue;
import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Soft labels of a float model: {@code loss = (1−weight)·crossEntropy + weight·T²·KL(teacher_T ‖
 * student_T)}. Of models that answer with features, {@code loss = 1 − cosine(teacher, student)};
 * weight and temperature say nothing there.
 *
 * @param weight of the soft labels, 0 to 1
 * @param temperature T, of both softmaxes
 * @param teacher the float model
 */
public record Distillation(double weight, double temperature, Teacher teacher) {

  /**
   * A float model.
   *
   * @param architecture a timm name or a map; null for the run's own
   * @param weights its weights; with {@code teacher: self} those that the run starts from
   * @param weightsKey the path in their file below which they lie; null to search for them
   */
  public record Teacher(JsonNode architecture, Path weights, String weightsKey) {
    @JsonValue
    Object yaml() {
      if (weights == null) {
        return "self";
      }
      Map<String, Object> map = new LinkedHashMap<>();
      if (architecture != null) {
        map.put("architecture", architecture);
      }
      map.put("weights", weights);
      if (weightsKey != null) {
        map.put("weightsKey", weightsKey);
      }
      return map;
    }
  }

  static Distillation read(Section parent, String key, Path ownWeights) {
    if (!parent.has(key) || parent.isText(key, "none")) {
      return null;
    }
    Section section = parent.section(key);
    Teacher teacher = new Teacher(null, null, null);
    if (section.isMap("teacher")) {
      Section t = section.section("teacher");
      JsonNode architecture = t.get("architecture");
      Path weights = t.path("weights");
      if (weights == null) {
        throw t.bad("weights", "the path of the teacher's weights");
      }
      String weightsKey = Recipe.weightsKey(t, weights);
      t.end();
      teacher = new Teacher(architecture, weights, weightsKey);
    } else if (section.has("teacher") && !section.isText("teacher", "self")) {
      throw section.bad("teacher", "self, or a map with architecture and weights");
    }
    if (teacher.weights() == null && ownWeights == null) {
      throw section.bad("teacher", "a map with weights, because the run itself has none");
    }
    Distillation distillation =
        new Distillation(
            section.number("weight", 0.5, 0, 1),
            section.number("temperature", 1, 0.01, 100),
            teacher);
    section.end();
    return distillation;
  }
}
