package org.ivit.core.testing;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Node;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.SoftmaxForm;
import org.ivit.core.family.Architectures;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.scheme.Scheme;

/** Small models with the parts and options of later families, pictures that are no squares. */
public final class FamilyModels {
  private static final String VIT =
      "{\"kind\":\"vit\",\"name\":\"%s\",\"image\":[16,24],\"patch\":8,\"dim\":12,\"depth\":2,"
          + "\"heads\":2,\"hidden\":20,%s}";
  private static final String SWIN =
      "{\"kind\":\"swin\",\"name\":\"%s\",\"image\":%s,\"patch\":2,\"window\":4,\"dim\":8,"
          + "\"depths\":[2,2],\"heads\":[2,4],\"classes\":%d}";

  private static final Map<String, String> DESCRIPTIONS = new TreeMap<>();

  static {
    vit("dino", "'classes':0");
    vit("deit3", "'classes':4,'positions':'patches'");
    vit("dinov2_reg", "'classes':0,'registers':4,'positions':'patches'");
    vit("clip", "'classes':7,'pre_norm':true,'activation':'quick_gelu','projection':true");
    vit("clip_headless", "'classes':0,'pre_norm':true,'activation':'quick_gelu','epsilon':0.5");
    vit("siglip", "'classes':0,'class_token':false,'pool':'map','activation':'gelu_tanh'");
    vit("map_of_all_tokens", "'classes':0,'registers':2,'pool':'map'");
    vit("avg", "'classes':0,'pool':'avg'");
    vit("avg_classes", "'classes':4,'registers':2,'pool':'avg'");
    vit("avg_projection", "'classes':5,'class_token':false,'pool':'avg','projection':true");
    vit("dinov2_classifier", "'classes':4,'registers':2,'positions':'patches','pool':'token_avg'");
    vit("mae", "'classes':0,'pool':'avg','fc_norm':true");
    vit(
        "sbb",
        "'classes':4,'class_token':false,'registers':4,'positions':'patches','pool':'avg',"
            + "'fc_norm':true");
    vit("sbb_placed", "'classes':4,'class_token':false,'registers':1,'pool':'avg','fc_norm':true");
    vit(
        "beit",
        "'classes':4,'positions':'none','relative_positions':true,'pool':'avg','fc_norm':true");
    vit("beit_token", "'classes':0,'relative_positions':true,'epsilon':0.01");
    String wide = VIT.replace("\"dim\":12", "\"dim\":16");
    DESCRIPTIONS.put(
        "dinov3",
        wide.formatted(
            "dinov3",
            options(
                "'classes':0,'registers':4,'positions':'none','rotary':'dinov3','pool':'avg'")));
    DESCRIPTIONS.put(
        "dinov3_plus",
        wide.formatted(
            "dinov3_plus",
            options(
                "'classes':0,'registers':2,'positions':'none','rotary':'dinov3','mlp':'swiglu'")));
    DESCRIPTIONS.put(
        "eva02",
        wide.formatted(
            "eva02",
            options(
                "'classes':4,'rotary':'cat','rotary_grid':[3,3],'mlp':'swiglu_norm','pool':'avg',"
                    + "'fc_norm':true")));
    DESCRIPTIONS.put(
        "dinov2_giant", wide.formatted("dinov2_giant", options("'classes':0,'mlp':'swiglu'")));
    DESCRIPTIONS.put("swin_headless", SWIN.formatted("swin_headless", "[16,32]", 0));
    DESCRIPTIONS.put("swin_wide", SWIN.formatted("swin_wide", "[8,32]", 3));
    DESCRIPTIONS.put("swin_high", SWIN.formatted("swin_high", "[32,16]", 3));
  }

  /** Names of all models. */
  public static final List<String> NAMES = List.copyOf(DESCRIPTIONS.keySet());

  /** Names of those with rotary positions or gated MLPs. */
  public static final List<String> ROTARY_OR_GATED =
      List.of("dinov3", "dinov3_plus", "eva02", "dinov2_giant");

  private FamilyModels() {}

  private static void vit(String name, String options) {
    DESCRIPTIONS.put(name, VIT.formatted(name, options(options)));
  }

  private static String options(String options) {
    return options.replace('\'', '"');
  }

  /**
   * Returns the chain of a model.
   *
   * @param name one of {@link #NAMES}
   */
  public static Architecture architecture(String name) {
    return Architectures.parse(DESCRIPTIONS.get(name));
  }

  /**
   * Schemes of all forms, with epsilon and without, with outlier channels and without.
   *
   * @param architecture whose nodes have the outlier channels
   */
  public static List<Scheme> schemes(Architecture architecture) {
    Scheme apart = new Scheme(GeluForm.ASYMMETRIC, SoftmaxForm.DEFERRED, 8, outliers(architecture));
    return List.of(
        Scheme.EXACT.withNormEpsilon(true),
        apart.withNormEpsilon(true),
        Scheme.of(GeluForm.ROW, SoftmaxForm.SHIFT),
        new Scheme(GeluForm.ELEMENT, SoftmaxForm.EXACT, 8, new TreeMap<>()));
  }

  /** Two channels at every node that may have them. */
  private static SortedMap<String, OutlierChannels> outliers(Architecture architecture) {
    SortedMap<String, OutlierChannels> sets = new TreeMap<>();
    for (Node node : architecture.nodes().values()) {
      if (node.kind().mayHaveOutliers()) {
        sets.put(node.name(), new OutlierChannels(new int[] {1, 7}, 2));
      }
    }
    return sets;
  }

  /**
   * The integer models of an architecture, one for each scheme.
   *
   * @param seed of weights and ranges
   */
  public static List<IntegerGraph> graphs(Architecture architecture, long seed) {
    List<IntegerGraph> graphs = new ArrayList<>();
    for (Scheme scheme : schemes(architecture)) {
      graphs.add(ObservedModel.graph(architecture, scheme, new Random(seed)));
    }
    return graphs;
  }
}
