package org.ivit.serve.protocol;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import org.ivit.serve.model.Layer;
import org.ivit.serve.model.ModelDescription;

/** What server and models say of themselves. */
public final class Metadata {
  /** A file is one version of its model. */
  public static final String VERSION = "1";

  private Metadata() {}

  /**
   * The server.
   *
   * @param version of this program
   */
  public static ObjectNode server(String version) {
    ObjectNode server = JsonNodeFactory.instance.objectNode();
    server.put("name", "ivit");
    server.put("version", version);
    server.putArray("extensions").add("classification").add("binary_tensor_data");
    return server;
  }

  /**
   * A model, as the protocol describes it.
   *
   * @param name by which it is served
   */
  public static ObjectNode model(String name, ModelDescription model) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("name", name);
    node.putArray("versions").add(VERSION);
    node.put("platform", model.integer() ? "ivit_integer" : "ivit_float");
    tensors(node.putArray("inputs"), TensorSpec.inputs(model));
    tensors(node.putArray("outputs"), TensorSpec.outputs(model));
    ObjectNode parameters = node.putObject("parameters");
    parameters.put("architecture", model.architecture());
    parameters.put("engine", model.engine());
    parameters.put("kernels", model.backend().kernels());
    parameters.put("scale", model.scale());
    return node;
  }

  private static void tensors(ArrayNode array, List<TensorSpec> specs) {
    for (TensorSpec spec : specs) {
      ObjectNode tensor = array.addObject();
      tensor.put("name", spec.name());
      tensor.put("datatype", spec.type().name());
      ArrayNode shape = tensor.putArray("shape");
      spec.shape().forEach(shape::add);
    }
  }

  /**
   * A model, as the page shows it.
   *
   * @param name by which it is served
   */
  public static ObjectNode page(String name, ModelDescription model) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("name", name);
    node.put("family", model.family());
    node.put("architecture", model.architecture());
    node.put("task", model.classifies() ? "classification" : "features");
    node.put("classes", model.classifies() ? model.outputs() : 0);
    node.put("engine", model.engine());
    node.put("kernels", model.backend().kernels());
    node.put("processor", model.backend().processor());
    node.put("threads", model.backend().threads());
    ObjectNode input = node.putObject("input");
    input.put("width", model.preprocess().crop().width());
    input.put("height", model.preprocess().crop().height());
    node.put("bytes", model.bytes());
    node.put("bits", model.bits());
    ArrayNode layers = node.putArray("layers");
    for (Layer layer : model.layers()) {
      ObjectNode row = layers.addObject();
      row.put("name", layer.name());
      row.put("kind", layer.kind());
      ArrayNode shape = row.putArray("shape");
      layer.shape().forEach(shape::add);
      row.put("bits", layer.bits());
      row.put("bytes", layer.bytes());
    }
    return node;
  }
}
