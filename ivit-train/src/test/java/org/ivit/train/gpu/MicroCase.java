package org.ivit.train.gpu;

import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Node;
import org.ivit.core.architecture.NodeKind;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.SoftmaxForm;
import org.ivit.core.family.Architectures;
import org.ivit.core.family.Swin;
import org.ivit.core.family.Vit;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.operator.CrossEntropy;

/**
 * Networks so small that a step of them is quick on an emulation, which together use every kernel.
 *
 * @param drop rate of stochastic depth
 * @param weight of the distillation
 */
public record MicroCase(
    String name, Architecture architecture, Scheme scheme, double drop, double weight) {
  private static final Scheme NARROW =
      new Scheme(GeluForm.EXACT, SoftmaxForm.EXACT, 8, new TreeMap<>());
  private static final Scheme DEFERRED =
      new Scheme(GeluForm.EXACT, SoftmaxForm.DEFERRED, 8, new TreeMap<>());

  /** Those that are quick on an emulation. */
  public static List<MicroCase> all() {
    Architecture vit = new Vit("vit", 12, 4, 18, 2, 2, 41, 5, 1e-6).architecture();
    Architecture distilled =
        new Vit("distilled", 8, 4, 64, 2, 1, 128, 7, 1e-6, true).architecture();
    Architecture swin =
        new Swin("swin", 16, 2, 2, 6, List.of(1, 2), List.of(1, 2), 3, 1e-5).architecture();
    Architecture shifted =
        new Swin("shifted", 16, 2, 4, 8, List.of(2), List.of(2), 4, 1e-5).architecture();
    return List.of(
        new MicroCase("vit", vit, Scheme.EXACT, 0, 0),
        new MicroCase(
            "vit, outliers", vit, scheme(vit, GeluForm.EXACT, SoftmaxForm.EXACT, 16), 0.4, 0),
        new MicroCase(
            "vit, asymmetric", vit, scheme(vit, GeluForm.ASYMMETRIC, SoftmaxForm.EXACT, 8), 0, 0.3),
        new MicroCase(
            "distilled, deferred",
            distilled,
            scheme(distilled, GeluForm.EXACT, SoftmaxForm.DEFERRED, 8),
            0.2,
            1),
        new MicroCase(
            "distilled, shift", distilled, Scheme.of(GeluForm.ELEMENT, SoftmaxForm.SHIFT), 0, 0),
        new MicroCase("swin", swin, Scheme.EXACT, 0.3, 0),
        new MicroCase(
            "swin, deferred", swin, scheme(swin, GeluForm.EXACT, SoftmaxForm.DEFERRED, 8), 0, 0.5),
        new MicroCase("shifted windows", shifted, Scheme.EXACT, 0, 0));
  }

  /** Others, with wider heads, for kernels that those leave out. */
  public static List<MicroCase> wide() {
    Architecture heads64 = new Vit("heads of 64", 12, 4, 128, 1, 2, 128, 5, 1e-6).architecture();
    Architecture heads80 = new Vit("heads of 80", 12, 4, 160, 1, 2, 160, 5, 1e-6).architecture();
    return List.of(
        new MicroCase("heads of 64", heads64, NARROW, 0, 0),
        new MicroCase("heads of 80", heads80, Scheme.EXACT, 0, 0),
        new MicroCase("heads of 80, narrow", heads80, NARROW, 0, 0),
        new MicroCase("heads of 80, deferred", heads80, DEFERRED, 0, 0));
  }

  /**
   * Those whose chains have other parts than a ViT's and a Swin's of the first years, with epsilons
   * that count.
   */
  public static List<MicroCase> families() {
    Scheme exact = Scheme.EXACT.withNormEpsilon(true);
    Scheme narrow = NARROW.withNormEpsilon(true);
    Scheme deferred = DEFERRED.withNormEpsilon(true);
    Scheme paper = Scheme.of(GeluForm.ROW, SoftmaxForm.SHIFT).withNormEpsilon(true);
    Scheme element = Scheme.of(GeluForm.ELEMENT, SoftmaxForm.EXACT);
    Scheme asymmetric =
        new Scheme(GeluForm.ASYMMETRIC, SoftmaxForm.EXACT, 16, new TreeMap<>(), true);
    String dinov3 = "'dim': 16, 'classes': 0, 'registers': 2, 'positions': 'none', ";
    return List.of(
        family(
            "clip",
            0.2,
            exact,
            "'classes': 12, 'pre_norm': true, 'projection': true, 'activation': 'quick_gelu'"),
        family(
            "clip, tanh",
            0,
            asymmetric,
            "'classes': 12, 'pre_norm': true, 'activation': 'gelu_tanh'"),
        family("dinov2", 0, deferred, "'classes': 0, 'registers': 2, 'positions': 'patches'"),
        family("dino", 0, element, "'classes': 0"),
        family(
            "siglip",
            0,
            asymmetric,
            "'classes': 0, 'class_token': false, 'pool': 'map', 'activation': 'gelu_tanh'"),
        family(
            "siglip, deferred", 0, deferred, "'classes': 0, 'class_token': false, 'pool': 'map'"),
        family("siglip, paper", 0.4, paper, "'classes': 0, 'registers': 1, 'pool': 'map'"),
        family(
            "sbb",
            0.3,
            narrow,
            "'classes': 5, 'class_token': false, 'registers': 3, 'positions': 'patches',"
                + " 'pool': 'avg', 'fc_norm': true"),
        family(
            "dinov2 classifier",
            0.2,
            asymmetric,
            "'classes': 5, 'registers': 2, 'positions': 'patches', 'pool': 'token_avg'"),
        family("mae", 0, exact, "'classes': 0, 'pool': 'avg', 'fc_norm': true"),
        family("siglip gap", 0, exact, "'classes': 0, 'class_token': false, 'pool': 'avg'"),
        family("gap", 0, asymmetric, "'classes': 4, 'registers': 1, 'pool': 'avg'"),
        family(
            "beit",
            0.2,
            exact,
            "'classes': 5, 'positions': 'none', 'relative_positions': true, 'pool': 'avg',"
                + " 'fc_norm': true"),
        family(
            "beit, deferred",
            0,
            deferred,
            "'classes': 5, 'positions': 'none', 'relative_positions': true"),
        family("dinov3", 0.2, asymmetric, dinov3 + "'pool': 'avg', 'rotary': 'dinov3'"),
        family("dinov3 plus", 0, deferred, dinov3 + "'rotary': 'dinov3', 'mlp': 'swiglu'"),
        family("dinov2 giant", 0.3, exact, "'dim': 18, 'classes': 0, 'mlp': 'swiglu'"),
        family(
            "eva02",
            0,
            exact,
            "'dim': 24, 'classes': 5, 'rotary': 'cat', 'rotary_grid': [3, 2],"
                + " 'mlp': 'swiglu_norm', 'pool': 'avg', 'fc_norm': true"),
        new MicroCase(
            "swin features",
            parsed(
                "{'kind': 'swin', 'image': [16, 24], 'patch': 2, 'window': 2, 'dim': 6,"
                    + " 'depths': [1, 2], 'heads': [1, 2], 'classes': 0, 'epsilon': 0.02}"),
            exact,
            0.3,
            0));
  }

  /** A ViT for pictures that are not square, with outlier channels wherever they may be. */
  private static MicroCase family(String name, double drop, Scheme scheme, String options) {
    Architecture architecture =
        parsed(
            "{'kind': 'vit', 'image': [8, 12], 'patch': 4, 'depth': 2, 'heads': 2,"
                + " 'hidden': 41, 'epsilon': 0.02, "
                + (options.contains("'dim'") ? "" : "'dim': 18, ")
                + options
                + "}");
    TreeMap<String, OutlierChannels> outliers = new TreeMap<>();
    for (Node node : architecture.nodes().values()) {
      boolean inMlp = node.kind() == NodeKind.HIDDEN || node.kind() == NodeKind.ACTIVATION;
      if (node.kind().mayHaveOutliers() && (scheme.gelu().isErf() || !inMlp)) {
        outliers.put(node.name(), new OutlierChannels(new int[] {0, 7}, 2));
      }
    }
    return new MicroCase(name, architecture, scheme.withOutliers(outliers), drop, 0);
  }

  /** Of a description with single quotes. */
  private static Architecture parsed(String description) {
    return Architectures.parse(description.replace('\'', '"'));
  }

  private static Scheme scheme(
      Architecture architecture, GeluForm gelu, SoftmaxForm softmax, int bits) {
    TreeMap<String, OutlierChannels> outliers = new TreeMap<>();
    Block site = architecture.blocks().get(0);
    int[] hidden = {0, site.hidden() - 1};
    outliers.put(site.node("norm1"), new OutlierChannels(new int[] {0, site.dim() - 1}, 2));
    outliers.put(site.node("attn.context"), new OutlierChannels(new int[] {1}, 1));
    outliers.put(site.node("mlp.fc1"), new OutlierChannels(hidden, 4));
    outliers.put(site.node("mlp.act"), new OutlierChannels(hidden, 3));
    return new Scheme(gelu, softmax, bits, outliers);
  }

  /** The loss. */
  public CrossEntropy loss() {
    return new CrossEntropy(weight, 2);
  }

  /** Random weights, ranges of its first pictures, and two steps of two micro-batches each. */
  public TrainingCase start() {
    SplittableRandom random = new SplittableRandom(7);
    List<StepPictures> steps =
        List.of(
            StepPictures.random(random, architecture, weight > 0, 3, 2),
            StepPictures.random(random, architecture, weight > 0, 2, 2));
    return TrainingCase.calibrated(
        name,
        architecture,
        scheme,
        drop,
        loss(),
        TrainingCase.weights(architecture, random, 0.2),
        steps,
        1e-3);
  }

  @Override
  public String toString() {
    return name;
  }
}
