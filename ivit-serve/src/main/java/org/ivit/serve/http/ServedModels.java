package org.ivit.serve.http;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import org.ivit.core.MessageText;

/** The models of a server by name, in the order in which they were given. */
final class ServedModels implements AutoCloseable {
  private final Map<String, ServedModel> models = new LinkedHashMap<>();

  void add(ServedModel model) {
    models.put(model.name(), model);
  }

  /**
   * A model.
   *
   * @throws HttpFailure 404 if there is none of that name
   */
  ServedModel get(String name) {
    ServedModel model = models.get(name);
    if (model == null) {
      throw HttpFailure.of(
          404,
          "model %s: expected one of %s"
              .formatted(MessageText.quote(name), MessageText.list(models.keySet())));
    }
    return model;
  }

  ServedModel first() {
    return models.values().iterator().next();
  }

  Collection<ServedModel> all() {
    return models.values();
  }

  /** Lets batches begin without waiting for more pictures. */
  void hurry() {
    models.values().forEach(model -> model.batcher().hurry());
  }

  @Override
  public void close() {
    models.values().forEach(ServedModel::close);
  }
}
