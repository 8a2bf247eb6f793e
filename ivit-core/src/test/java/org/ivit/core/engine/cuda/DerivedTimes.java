package org.ivit.core.engine.cuda;

import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.DoubleStream;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.Launch;
import org.ivit.core.engine.cuda.layer.AttentionArguments;
import org.ivit.core.engine.cuda.layer.Constants;
import org.ivit.core.engine.cuda.layer.LinearArguments;
import org.ivit.core.engine.cuda.layer.Tile;
import org.ivit.core.engine.cuda.row.NormLayer;
import org.ivit.core.family.Architectures;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.testing.ObservedModel;

/**
 * Derives what forward passes take on GPUs that nobody here has: from the launches that the engine
 * makes for each of them, instructions counted in machine code, and what is published of the GPU.
 * Started by {@code scripts/derive-gpu}; no test, and nothing that was measured.
 */
final class DerivedTimes {
  private static final double MICRO = 1e-6;

  /** From the begin of a launch to the next, in microseconds: overlapped, and not. */
  private static final double[] LAUNCH = {1.3, 2.2};

  /** Cycles of a stage of a product that waits for the cache: three under way, and one. */
  private static final double[] LATENCY = {200, 600};

  /** What part of the issue slots is used. */
  private static final double[] ISSUED = {1, 0.7};

  /** What a kernel costs, as {@code scripts/count-cuda} prints it. */
  private record Counts(int registers, int all, int loop, int after) {
    int before() {
      return all - loop - after;
    }
  }

  /** Seconds, with everything beside everything else and with nothing. */
  private record Time(double least, double most) {
    Time plus(Time other) {
      return new Time(least + other.least, most + other.most);
    }
  }

  private final DerivedGpu gpu;
  private final Map<String, Counts> counts;

  private DerivedTimes(DerivedGpu gpu, Map<String, Counts> counts) {
    this.gpu = gpu;
    this.counts = counts;
  }

  /**
   * Prints tables in Markdown.
   *
   * @param arguments folder with {@code 75.counts} and so on, what count-cuda printed of a target
   */
  public static void main(String[] arguments) throws IOException {
    int[] batches = {1, 8, 32, 128};
    Map<String, String> models = new LinkedHashMap<>();
    models.put("DeiT-T", "deit_tiny_patch16_224");
    models.put("DeiT-S", "deit_small_patch16_224");
    models.put("DeiT-B", "deit_base_patch16_224");
    models.put("Swin-T", "swin_tiny_patch4_window7_224");
    StringBuilder kinds = new StringBuilder();
    System.out.println("| GPU | model | launches | batch 1 | 8 | 32 | 128 |");
    System.out.println("|---|---|---|---|---|---|---|");
    for (Map.Entry<String, String> model : models.entrySet()) {
      IntegerGraph graph =
          ObservedModel.graph(
              Architectures.byName(model.getValue()), ObservedModel.USUAL, new Random(1));
      for (DerivedGpu gpu : DerivedGpu.ALL) {
        DerivedTimes times =
            new DerivedTimes(gpu, counts(Path.of(arguments[0], gpu.target() + ".counts")));
        StringBuilder row = new StringBuilder();
        int launches = 0;
        for (int batch : batches) {
          List<Launch> pass = times.launches(graph, batch);
          launches = pass.size();
          Time total = times.total(pass);
          row.append(" %s |".formatted(text(total)));
          if (batch == 128 && model.getKey().equals("DeiT-B")) {
            kinds.append(times.kinds(pass));
          }
        }
        System.out.println(
            "| %s | %s | %d |%s".formatted(gpu.name(), model.getKey(), launches, row));
      }
    }
    System.out.println();
    System.out.println("| GPU | kernel of DeiT-B at 128 | launches | blocks resident | ms |");
    System.out.println("|---|---|---|---|---|");
    System.out.print(kinds);
  }

  private static String text(Time time) {
    return "%s–%s".formatted(milliseconds(time.least), milliseconds(time.most));
  }

  private static String milliseconds(double seconds) {
    double ms = seconds * 1e3;
    return String.format(Locale.ROOT, ms < 1 ? "%.2f" : ms < 10 ? "%.1f" : "%.0f", ms);
  }

  private static Map<String, Counts> counts(Path file) throws IOException {
    Map<String, Counts> counts = new HashMap<>();
    for (String line : Files.readAllLines(file)) {
      String[] words = line.strip().split("\\s+", -1);
      if (words.length > 4 && words[1].matches("\\d+")) {
        counts.put(
            words[0],
            new Counts(number(words[1]), number(words[2]), number(words[3]), number(words[4])));
      }
    }
    return counts;
  }

  private static int number(String word) {
    return word.equals("-") ? 0 : Integer.parseInt(word);
  }

  /** The launches of a pass on a device of this size that computes nothing. */
  private List<Launch> launches(IntegerGraph graph, int pictures) {
    AtomicLong end = new AtomicLong(1L << 20);
    Device device =
        (Device)
            Proxy.newProxyInstance(
                Device.class.getClassLoader(),
                new Class<?>[] {Device.class},
                (proxy, method, values) ->
                    switch (method.getName()) {
                      case "name" -> gpu.name();
                      case "multiprocessors" -> gpu.multiprocessors();
                      case "sharedBytes" -> gpu.sharedBytes();
                      case "allocate" -> end.getAndAdd(((long) values[0] + 511) / 256 * 256);
                      case "warpgroups", "tensorMaps" -> false;
                      case "write", "free", "launch", "close" -> null;
                      default -> throw new UnsupportedOperationException(method.getName());
                    });
    Forward forward = new Forward(new Constants(device), graph);
    PassBuffers buffers = new PassBuffers();
    forward.launches(buffers, pictures);
    forward.logits(buffers, pictures);
    buffers.allocate(device);
    return new ArrayList<>(forward.launches(buffers, pictures));
  }

  private Time total(List<Launch> pass) {
    Time total = new Time(0, 0);
    for (Launch launch : pass) {
      total = total.plus(time(launch));
    }
    return total;
  }

  private String kinds(List<Launch> pass) {
    Map<String, Time> times = new LinkedHashMap<>();
    Map<String, Integer> number = new LinkedHashMap<>();
    Map<String, Integer> resident = new LinkedHashMap<>();
    for (Launch launch : pass) {
      String kind = launch.kernel();
      if (kind.startsWith("linear_")) {
        kind += " K " + LaunchFields.number(launch, new LinearArguments(), "depth");
      }
      times.merge(kind, time(launch), Time::plus);
      number.merge(kind, 1, Integer::sum);
      Counts of = counts(launch);
      resident.put(kind, gpu.resident(of.registers, launch.threads(), launch.sharedBytes()));
    }
    StringBuilder rows = new StringBuilder();
    times.forEach(
        (kind, time) ->
            rows.append(
                "| %s | `%s` | %d | %d | %s |%n"
                    .formatted(
                        gpu.name(), kind, number.get(kind), resident.get(kind), text(time))));
    return rows.toString();
  }

  private Counts counts(Launch launch) {
    Counts of = counts.get(launch.kernel());
    if (of == null) {
      throw new IllegalStateException("no counts of " + launch.kernel());
    }
    return of;
  }

  /**
   * The longer of what a launch keeps busy: issue slots, tensor cores, cache, memory. At most, what
   * a product does before and after its loop comes on top, as nothing else is there to fill the
   * time.
   */
  private Time time(Launch launch) {
    double clock = gpu.gigahertz() * 1e9;
    long blocks = (long) launch.gridX() * launch.gridY() * launch.gridZ();
    double each = Math.ceil((double) blocks / gpu.multiprocessors());
    double warps = Math.ceil(launch.threads() / 32.0);
    Counts of = counts(launch);
    double loops = 0;
    double outside = of.all();
    double tensor = 0;
    double cache = 0;
    double memory = 0;
    double turns = 1;
    if (launch.kernel().startsWith("linear_")) {
      LinearArguments arguments = new LinearArguments();
      double rows = LaunchFields.number(launch, arguments, "rows");
      double columns = LaunchFields.number(launch, arguments, "columns");
      double depth = LaunchFields.number(launch, arguments, "depth");
      Tile tile = tile(launch.kernel());
      double outputs = (double) tile.rows() * tile.columns();
      turns = Math.ceil(depth / Tile.DEPTH / tile.slices());
      loops = CountedPaths.loop(launch.kernel(), of.loop()) * turns;
      boolean gelu = LaunchFields.address(launch, arguments, "tables") != 0;
      outside =
          of.before()
              + CountedPaths.epilogue(launch.kernel(), gelu) * outputs / warps * tile.slices();
      tensor = outputs * depth / (gpu.multiplyAdds() * gpu.fed());
      double output = rows * columns * (launch.kernel().startsWith("linear_codes") ? 1 : 4);
      cache = blocks * (tile.rows() + tile.columns()) * depth + output;
      memory = (rows + columns) * depth + output;
    } else if (launch.kernel().startsWith("attention_")) {
      AttentionArguments arguments = new AttentionArguments();
      double tokens = LaunchFields.number(launch, arguments, "tokens");
      double queries = LaunchFields.number(launch, arguments, "queries");
      double dim = LaunchFields.number(launch, arguments, "padded_dim");
      double groups = launch.gridX();
      double heads = LaunchFields.number(launch, arguments, "heads");
      double tiles = Math.ceil(queries / 16);
      double work = groups * heads * tiles * CountedPaths.attention(launch.kernel(), (int) tokens);
      outside = work / (blocks * warps);
      tensor = groups * heads * 3 * queries * tokens * dim / blocks / gpu.multiplyAdds();
      memory = groups * heads * (3 * tokens + queries) * dim;
      cache = memory * launch.gridZ();
    } else {
      memory = moved(launch);
    }
    double issueLoop = each * warps * loops / DerivedGpu.ISSUES / clock;
    double issueOutside = each * warps * outside / DerivedGpu.ISSUES / clock;
    double tensorTime = each * tensor / clock;
    double cacheTime = cache / (gpu.cache() * 1e9);
    double memoryTime = memory / (gpu.memory() * 1e9);
    double wave =
        Math.ceil(each / gpu.resident(of.registers(), launch.threads(), launch.sharedBytes()));
    double least =
        max(
            (issueLoop + issueOutside) / ISSUED[0],
            tensorTime,
            cacheTime,
            memoryTime,
            wave * turns * LATENCY[0] / clock);
    double most =
        max(issueLoop / ISSUED[1], tensorTime, cacheTime, wave * turns * LATENCY[1] / clock)
            + max(issueOutside / ISSUED[1], memoryTime);
    return new Time(Math.max(least, LAUNCH[0] * MICRO), most + LAUNCH[1] * MICRO);
  }

  private static double max(double... values) {
    return DoubleStream.of(values).max().orElseThrow();
  }

  /** By the end of the kernel's name, as {@link Tile#kernel} gives it. */
  private static Tile tile(String kernel) {
    return Arrays.stream(Tile.values())
        .filter(tile -> kernel.endsWith(tile.kernel("").substring("linear_".length())))
        .findFirst()
        .orElseThrow();
  }

  /** Bytes of rows in and out; what is not told apart is small. */
  private static double moved(Launch launch) {
    if (launch.kernel().startsWith("layer_norm")) {
      NormLayer.NormArguments arguments = new NormLayer.NormArguments();
      double elements =
          (double) LaunchFields.number(launch, arguments, "rows")
              * LaunchFields.number(launch, arguments, "output_stride");
      return elements * (launch.kernel().equals("layer_norm_stream") ? 4 : 3);
    }
    return 0;
  }
}
