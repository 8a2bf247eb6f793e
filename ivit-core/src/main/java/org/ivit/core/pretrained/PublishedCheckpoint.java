package org.ivit.core.pretrained;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.ivit.core.InputException;
import org.ivit.core.MessageText;
import org.ivit.core.Size;
import org.ivit.core.architecture.Answer;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.AttentionPooling;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Head;
import org.ivit.core.architecture.MeanPooling;
import org.ivit.core.architecture.Merging;
import org.ivit.core.architecture.Node;
import org.ivit.core.architecture.Norm;
import org.ivit.core.architecture.PartVisitor;
import org.ivit.core.architecture.Stem;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.SoftmaxForm;
import org.ivit.core.family.Swin;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.graph.build.GraphBuilder;
import org.ivit.core.image.Preprocess;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorFile;

/**
 * A checkpoint of the quantization-aware training that Li and Gu published with <i>I-ViT</i>: float
 * weights, and the scale of each node in a buffer {@code …act_scaling_factor}. Its ranges are not
 * in the file, its scales are, and they are all that integers need.
 *
 * @param architecture sizes
 * @param weights parameters by timm name
 * @param scales of every node of {@link Architecture#nodes}, by its name there
 */
public record PublishedCheckpoint(
    Architecture architecture, FloatWeights weights, Map<String, Float> scales) {
  private static final String SCALE = ".act_scaling_factor";

  /** Buffers of layers with a weight that the published code computes anew in each pass. */
  private static final List<String> DERIVED =
      List.of(
          ".fc_scaling_factor",
          ".conv_scaling_factor",
          ".norm_scaling_factor",
          ".weight_integer",
          ".bias_integer");

  /** Copies. */
  public PublishedCheckpoint {
    scales = Map.copyOf(scales);
  }

  /**
   * Reads and checks a checkpoint.
   *
   * @param file what the published {@code quant_train.py} saved
   * @param architecture what it was trained as; the file does not say
   * @param weightsKey the path in the file below which it lies; null to search for it
   * @param say hears where there was a choice
   * @throws InputException naming all tensors and scales that are missing, of a wrong shape, zero
   *     because no picture ever went through the model, or of a module that such a model lacks
   */
  public static PublishedCheckpoint read(
      Path file, Architecture architecture, String weightsKey, Consumer<String> say) {
    TensorFile all = new WeightSearch(architecture, weightsKey, say).findAll(file);
    Map<String, Tensor> parameters = new LinkedHashMap<>();
    all.tensors()
        .forEach(
            (name, tensor) -> {
              if (!name.endsWith(SCALE) && derivedFrom(name) == null) {
                parameters.put(name, tensor);
              }
            });
    if (parameters.size() == all.tensors().size()) {
      throw new InputException(
          all.source()
              + ": holds no scale, *"
              + SCALE
              + ", expected a checkpoint of the published quantization-aware training");
    }
    WeightCheck.check(new TensorFile(parameters, all.metadata(), all.source()), architecture);
    Modules modules = Modules.of(architecture);
    requireKnown(all, modules, parameters);
    return new PublishedCheckpoint(
        architecture, FloatWeights.of(parameters), scales(all, modules.names));
  }

  /** The weight from whose layer a buffer follows; null if it is no such buffer. */
  private static String derivedFrom(String name) {
    for (String suffix : DERIVED) {
      if (name.endsWith(suffix)) {
        return name.substring(0, name.length() - suffix.length()) + ".weight";
      }
    }
    return null;
  }

  /** A step that is not known is not left out: integers without it would be of another model. */
  private static void requireKnown(
      TensorFile file, Modules modules, Map<String, Tensor> parameters) {
    Set<String> scaled = new HashSet<>(modules.names.values());
    scaled.addAll(modules.unread);
    List<String> unknown = new ArrayList<>();
    for (String name : file.tensors().keySet()) {
      String weight = derivedFrom(name);
      boolean known =
          name.endsWith(SCALE)
              ? scaled.contains(name.substring(0, name.length() - SCALE.length()))
              : weight == null || parameters.containsKey(weight);
      if (!known) {
        unknown.add(MessageText.quote(name));
      }
    }
    if (!unknown.isEmpty()) {
      throw new InputException(
          "%s: holds buffers of modules that the published model of this architecture lacks: %s"
              .formatted(file.source(), MessageText.list(unknown)));
    }
  }

  private static Map<String, Float> scales(TensorFile file, Map<String, String> published) {
    Map<String, Float> scales = new LinkedHashMap<>();
    List<String> bad = new ArrayList<>();
    for (Map.Entry<String, String> entry : published.entrySet()) {
      String node = entry.getKey();
      String name = entry.getValue() + SCALE;
      Tensor tensor = file.tensors().get(name);
      if (tensor == null) {
        bad.add(MessageText.quote(name) + " is missing");
      } else if (tensor.size() != 1) {
        bad.add("%s has %d elements".formatted(MessageText.quote(name), tensor.size()));
      } else {
        float scale = tensor.floats()[0];
        if (scale > 0 && Float.isFinite(scale)) {
          scales.put(node, scale);
        } else {
          bad.add("%s is %s".formatted(MessageText.quote(name), scale));
        }
      }
    }
    if (!bad.isEmpty()) {
      throw new InputException(
          "%s: %d scales are not usable, expected one positive number each: %s"
              .formatted(file.source(), bad.size(), MessageText.list(bad)));
    }
    return scales;
  }

  /** The module whose output each node is, by the node's name. */
  static Map<String, String> published(Architecture architecture) {
    return Modules.of(architecture).names;
  }

  /** Names the modules of the published code. */
  private static final class Modules implements PartVisitor<Void> {
    private final Map<String, String> names = new LinkedHashMap<>();

    /** Those with a scale that follows from others, or that no pass reads. */
    private final Set<String> unread = new HashSet<>(Set.of("qact_pos", "act_out"));

    static Modules of(Architecture architecture) {
      Modules modules = new Modules();
      architecture.parts().forEach(part -> part.accept(modules));
      return modules;
    }

    private void put(Node node, String module) {
      names.put(node.name(), module);
    }

    @Override
    public Void stem(Stem stem) {
      put(Node.INPUT, "qact_input");
      put(
          stem.projection().node(),
          stem.normed() ? "patch_embed.qact_before_norm" : "patch_embed.qact");
      put(stem.output(), "qact1");
      return null;
    }

    @Override
    public Void block(Block block) {
      if (block.rotary() != null) {
        throw foreign("rotary positions");
      }
      if (block.gated()) {
        throw foreign("a gated MLP");
      }
      boolean windows = block.windows() != null;
      put(block.norm1(), block.node("qact1"));
      put(block.qkv(), block.node("attn.qact1"));
      put(block.scores(), block.node("attn.qact_attn1"));
      if (windows) {
        put(block.biased(), block.node("attn.qact2"));
      }
      put(block.context(), block.node(windows ? "attn.qact3" : "attn.qact2"));
      put(block.proj(), block.node(windows ? "attn.qact4" : "attn.qact3"));
      put(block.residual1(), block.node("qact2"));
      put(block.norm2(), block.node("qact3"));
      put(block.fc1(), block.node("mlp.qact_gelu"));
      put(block.act(), block.node("mlp.qact1"));
      put(block.fc2(), block.node("mlp.qact2"));
      put(block.residual2(), block.node("qact4"));
      List<String> own =
          windows
              ? List.of("qact_table", "log_int_softmax")
              : List.of("qact_softmax", "int_softmax");
      own.forEach(module -> unread.add(block.node("attn." + module)));
      unread.add(block.node("attn.matmul_1"));
      unread.add(block.node("attn.matmul_2"));
      unread.add(block.node("mlp.act"));
      return null;
    }

    @Override
    public Void merging(Merging merging) {
      put(merging.norm(), merging.prefix() + "qact1");
      put(merging.output(), merging.prefix() + "qact2");
      return null;
    }

    @Override
    public Void norm(Norm norm) {
      throw foreign(norm.name());
    }

    @Override
    public Void meanPooling(MeanPooling pooling) {
      throw foreign("a mean before its norm");
    }

    @Override
    public Void attentionPooling(AttentionPooling pooling) {
      throw foreign("attention pooling");
    }

    private static InputException foreign(String part) {
      return new InputException(
          "architecture: has %s, which no model of the published training has".formatted(part));
    }

    @Override
    public Void head(Head head) {
      if (head.answer() == Answer.FEATURES) {
        throw foreign("features as its answer");
      }
      put(head.norm(), "qact2");
      if (head.pooled()) {
        put(head.pool(), "qact3");
      }
      return null;
    }
  }

  /**
   * The integers: ShiftGELU by row and Shiftmax, as the published code trains; probabilities of 16
   * bits in a ViT and 8 in a Swin.
   *
   * @return the graph, its bounds proved
   * @throws InputException naming the node whose bound does not hold
   */
  public IntegerGraph graph() {
    Scheme scheme =
        new Scheme(
            GeluForm.ROW,
            SoftmaxForm.SHIFT,
            architecture.family().equals(Swin.KIND) ? 8 : 16,
            new TreeMap<>());
    return GraphBuilder.build(architecture, weights, scheme, node -> scales.get(node.name()));
  }

  /**
   * How the published code evaluates, whatever the model: resize to 256/224 of the picture size,
   * bicubic, ImageNet's mean and deviation; pictures up to 32 pixels as they are.
   */
  public Preprocess preprocess() {
    Size image = architecture.image();
    return Preprocess.imagenet(new Size(resize(image.height()), resize(image.width())), image);
  }

  private static int resize(int side) {
    return side > 32 ? 256 * side / 224 : side;
  }
}
