package org.ivit.core.engine.cuda;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Block;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.SoftmaxForm;
import org.ivit.core.family.Swin;
import org.ivit.core.family.Vit;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.testing.FamilyModels;
import org.ivit.core.testing.ForgedGraphs;
import org.ivit.core.testing.InlineDescription;
import org.ivit.core.testing.ObservedModel;

/** Small models of odd sizes in every form, on an emulator and on a GPU. */
final class MicroModels {
  /**
   * A model.
   *
   * @param name what it is, for messages
   * @param source makes it
   * @param seed of its pictures
   */
  record Micro(String name, Supplier<IntegerGraph> source, long seed) {
    IntegerGraph graph() {
      return source.get();
    }
  }

  /** image, patch, dim, depth, heads, hidden, classes. */
  private static final List<int[]> SIZES =
      List.of(
          new int[] {4, 4, 1, 1, 1, 1, 1},
          new int[] {6, 3, 33, 2, 3, 7, 5},
          new int[] {15, 3, 10, 2, 2, 41, 3},
          new int[] {18, 2, 66, 1, 1, 84, 17},
          new int[] {16, 4, 130, 1, 1, 67, 133},
          new int[] {32, 8, 64, 2, 1, 256, 10});

  /** Sizes and options; heads as wide as published ones, and of channels that are padded. */
  private static final List<String> ROTARY_OR_GATED =
      List.of(
          "'dim': 128, 'heads': 2, 'hidden': 130, 'rotary': 'dinov3', 'registers': 4",
          "'dim': 60, 'heads': 3, 'hidden': 33, 'rotary': 'cat', 'rotary_grid': [3, 4]",
          "'dim': 40, 'heads': 1, 'hidden': 200, 'mlp': 'swiglu'",
          "'dim': 96, 'heads': 3, 'hidden': 67, 'rotary': 'cat', 'mlp': 'swiglu_norm'");

  private static final List<Architecture> SWINS =
      List.of(
          swin(4, 2, 1, 4, List.of(1), List.of(2)),
          swin(8, 1, 2, 6, List.of(2, 1), List.of(3, 2)),
          swin(24, 2, 3, 10, List.of(3, 2), List.of(2, 5)),
          swin(24, 3, 4, 33, List.of(2, 2), List.of(1, 3)),
          swin(18, 1, 9, 8, List.of(2, 2), List.of(2, 1)));

  private static Architecture swin(
      int image, int patch, int window, int dim, List<Integer> depths, List<Integer> heads) {
    return new Swin("random", image, patch, window, dim, depths, heads, 7, 1e-6).architecture();
  }

  private MicroModels() {}

  /** Returns ViTs and distilled ones. */
  static List<Micro> vits() {
    List<Micro> micros = new ArrayList<>();
    for (int[] s : SIZES) {
      int form = 0;
      Architecture plain =
          new Vit("random", s[0], s[1], s[2], s[3], s[4], s[5], s[6], 1e-6).architecture();
      for (Scheme scheme : schemes(plain)) {
        boolean distilled = form % 2 == 1;
        Architecture vit =
            new Vit("random", s[0], s[1], s[2], s[3], s[4], s[5], s[6], 1e-6, distilled)
                .architecture();
        micros.add(observed(vit, form, scheme, (long) Arrays.hashCode(s) + form));
        form++;
      }
    }
    for (boolean distilled : new boolean[] {false, true}) {
      Architecture registers =
          new Vit("registers", 15, 3, 10, 2, 2, 41, 3, 1e-6, distilled, 4).architecture();
      micros.add(observed(registers, 0, schemes(registers).get(0), 4));
    }
    return micros;
  }

  /** Returns Swins. */
  static List<Micro> swins() {
    List<Micro> micros = new ArrayList<>();
    for (Architecture swin : SWINS) {
      int form = 0;
      for (Scheme scheme : schemes(swin)) {
        micros.add(observed(swin, form, scheme, swin.stem().dim() + 31L * form));
        form++;
      }
    }
    return micros;
  }

  /** Returns models of every family. */
  static List<Micro> families() {
    List<Micro> micros = new ArrayList<>();
    for (String name : FamilyModels.NAMES) {
      Architecture family = FamilyModels.architecture(name);
      int form = 0;
      for (Scheme scheme : FamilyModels.schemes(family)) {
        micros.add(observed(family, form, scheme, name.hashCode() + (long) form));
        form++;
      }
    }
    return micros;
  }

  /** Returns models with rotary positions, gated MLPs or both, observed and of forged constants. */
  static List<Micro> rotaryOrGated() {
    List<Micro> micros = new ArrayList<>();
    for (String form : ROTARY_OR_GATED) {
      Architecture vit =
          InlineDescription.parse(
              "'kind': 'vit', 'image': [12, 20], 'patch': 2, 'depth': 2, 'classes': 5, " + form);
      int number = 0;
      for (Scheme scheme : FamilyModels.schemes(vit)) {
        Micro plain = observed(vit, number, scheme, form.hashCode() + (long) number);
        micros.add(plain);
        micros.add(
            new Micro(
                "forged " + plain.name(),
                () -> new ForgedGraphs(plain.seed()).of(plain.graph()),
                plain.seed()));
        number++;
      }
    }
    return micros;
  }

  /** Returns a model with rows of DINOv2's length at 518 pixels. */
  static Micro longRows() {
    Architecture vit = new Vit("long rows", 37, 1, 64, 1, 1, 64, 5, 1e-6).architecture();
    return observed(vit, 0, Scheme.EXACT.withNormEpsilon(true), 518);
  }

  /** Returns models of constants that no training would give. */
  static List<Micro> forged() {
    List<Micro> micros = new ArrayList<>();
    Architecture vit = new Vit("forged", 12, 3, 40, 2, 2, 70, 5, 1e-6, true).architecture();
    Architecture swin = swin(12, 1, 3, 12, List.of(2, 2), List.of(2, 3));
    for (long seed = 0; seed < 20; seed++) {
      Architecture architecture = seed % 2 == 0 ? vit : swin;
      List<Scheme> schemes = schemes(architecture);
      int form = (int) (seed / 2 % schemes.size());
      Micro plain = observed(architecture, form, schemes.get(form), seed);
      long salt = seed;
      micros.add(
          new Micro(
              "forged " + plain.name(), () -> new ForgedGraphs(salt).of(plain.graph()), seed));
    }
    return micros;
  }

  /** Returns models whose weights mostly have fewer than 8 bits, one with each kind of part. */
  static List<Micro> fewerBits() {
    List<Architecture> architectures =
        List.of(
            new Vit("fewer bits", 12, 3, 72, 1, 2, 70, 5, 1e-6, true).architecture(),
            swin(12, 1, 3, 12, List.of(1, 1), List.of(2, 3)),
            FamilyModels.architecture("siglip"),
            FamilyModels.architecture(FamilyModels.ROTARY_OR_GATED.get(0)));
    List<Micro> micros = new ArrayList<>();
    for (Architecture architecture : architectures) {
      int form = micros.size();
      List<Scheme> schemes = FamilyModels.schemes(architecture);
      Micro plain = observed(architecture, form, schemes.get(form % schemes.size()), form);
      micros.add(
          new Micro(
              "fewer bits " + plain.name(),
              () -> ForgedGraphs.ofFewerBits(plain.seed()).of(plain.graph()),
              plain.seed()));
    }
    return micros;
  }

  private static Micro observed(Architecture architecture, int form, Scheme scheme, long seed) {
    return new Micro(
        architecture + ", form " + form,
        () -> ObservedModel.graph(architecture, scheme, new Random(seed)),
        seed);
  }

  private static List<Scheme> schemes(Architecture architecture) {
    TreeMap<String, OutlierChannels> outliers = new TreeMap<>();
    Block site = architecture.blocks().get(0);
    if (site.dim() > 2 && site.hidden() > 2) {
      int last = site.dim() - 1;
      outliers.put(site.node("norm1"), new OutlierChannels(new int[] {0, last}, 2));
      outliers.put(site.node("attn.context"), new OutlierChannels(new int[] {1}, 1));
      outliers.put(site.node("norm2"), new OutlierChannels(all(site.dim() - 1), 3));
      int[] hidden = {0, site.hidden() - 1};
      outliers.put(site.node("mlp.fc1"), new OutlierChannels(hidden, 4));
      outliers.put(site.node("mlp.act"), new OutlierChannels(hidden, 3));
      if (!architecture.head().pooled()) {
        outliers.put("norm", new OutlierChannels(new int[] {1}, 2));
      } else if (architecture.nodes().containsKey("layers.0.downsample.norm")) {
        outliers.put("layers.0.downsample.norm", new OutlierChannels(new int[] {1, last}, 2));
      }
    }
    return List.of(
        new Scheme(GeluForm.EXACT, SoftmaxForm.EXACT, 16, outliers),
        new Scheme(GeluForm.ASYMMETRIC, SoftmaxForm.EXACT, 8, new TreeMap<>()),
        new Scheme(GeluForm.ELEMENT, SoftmaxForm.SHIFT, 8, new TreeMap<>()),
        Scheme.of(GeluForm.ROW, SoftmaxForm.SHIFT),
        new Scheme(GeluForm.EXACT, SoftmaxForm.DEFERRED, 8, outliers));
  }

  private static int[] all(int n) {
    int[] channels = new int[n];
    Arrays.setAll(channels, i -> i);
    return channels;
  }

  /** Returns codes of pictures, the second of one colour. */
  static byte[] pictures(IntegerGraph graph, int count, long seed) {
    int size = graph.architecture().pixels();
    byte[] codes = new byte[count * size];
    new Random(seed).nextBytes(codes);
    if (count > 1) {
      Arrays.fill(codes, size, 2 * size, (byte) (seed % 2 == 0 ? -128 : 127));
    }
    return codes;
  }
}
