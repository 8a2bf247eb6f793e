package org.ivit.train.gpu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.DeviceFaultException;
import org.ivit.core.cuda.DriverDevice;
import org.ivit.core.cuda.Gpu;
import org.ivit.core.cuda.KernelImages;
import org.ivit.core.engine.choice.EngineConfig;
import org.ivit.core.family.Architectures;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.weight.WeightCoding;
import org.ivit.train.device.memory.TrainingKernels;
import org.ivit.train.device.product.ProductPrecision;
import org.ivit.train.operator.CrossEntropy;

/**
 * Proof and measurement of training on a GPU, for {@code scripts/gpu-check}: steps of micro
 * networks beside the processor's, learning curves, a killed run that goes on, and times.
 *
 * <p>{@code TrainingCheck FOLDER JSON [quick|micro]}: the folder may hold a {@link PictureCase}.
 * The results go into the field {@code training} of the file, beside what it has. {@code quick}
 * stops after the micro networks, {@code micro} takes one for everything. Ends with 0 where all is
 * as it must be, 1 where not, 2 where there is no GPU.
 */
final class TrainingCheck {
  private static final List<String> TIMED =
      List.of(
          "deit_tiny_patch16_224",
          "deit_small_patch16_224",
          "deit_base_patch16_224",
          "swin_tiny_patch4_window7_224");

  /** Of the learning rate, for runs whose codes rounding hardly ever turns. */
  private static final double STILL = 1.0 / 500;

  /** How far their losses may be apart, as a share. */
  private static final double LOSS = 1e-3;

  /**
   * How far the mean losses of other runs may be apart, as a share: once a code has turned, single
   * losses of two runs on a processor are apart by 0.06 at most.
   */
  private static final double CURVE = 0.03;

  private static final int MICRO_STEPS = 2;
  private static final int FEW_STEPS = 3;

  private final CheckReport report;
  private final ObjectNode result;
  private final Set<String> kernels = new TreeSet<>();

  /**
   * How much is done.
   *
   * @param cases micro networks, in float32 all of them
   * @param steps of a run
   * @param batch pictures of a step that is timed
   * @param samples steps that are timed
   */
  private record Size(String name, int cases, int steps, int batch, int samples) {
    static final Size FULL = new Size("full", 8, 50, 128, 10);
    static final Size QUICK = new Size("quick", 8, 0, 0, 0);
    static final Size MICRO = new Size("micro", 2, 4, 2, 1);

    boolean full() {
      return equals(FULL);
    }

    static Size of(String[] arguments) {
      String asked = arguments.length > 2 ? arguments[2] : FULL.name;
      return asked.equals(QUICK.name) ? QUICK : asked.equals(MICRO.name) ? MICRO : FULL;
    }
  }

  private Gpu gpu = EngineConfig.standard().gpu();

  private TrainingCheck(CheckReport report) {
    this.report = report;
    result = report.result();
  }

  /** Runs the check. */
  public static void main(String[] arguments) throws IOException {
    System.exit(run(arguments));
  }

  /** Runs the check and returns the code to end with. */
  static int run(String... arguments) throws IOException {
    CheckReport report = new CheckReport(Path.of(arguments[1]));
    TrainingCheck check = new TrainingCheck(report);
    try {
      check.describe();
    } catch (InputException e) {
      System.err.println("gpu-check: " + e.getMessage());
      return 2;
    }
    try {
      check.run(Path.of(arguments[0]), Size.of(arguments));
    } catch (InputException | DeviceFaultException e) {
      report.record("run to the end", report.check().put("error", e.getMessage()), false);
      System.err.println("gpu-check: " + e.getMessage());
    }
    return report.passed() ? 0 : 1;
  }

  private DriverDevice open() {
    return (DriverDevice) TrainingKernels.open(gpu);
  }

  private void run(Path folder, Size size) throws IOException {
    micros(size);
    if (size.steps == 0) {
      return;
    }
    boolean pictures = size.full() && PictureCase.in(folder);
    TrainingCase start = pictures ? PictureCase.of(folder) : other(size);
    large(start, size);
    curves(start, size);
    resume(pictures ? folder.toString() : ResumableRun.MICRO, size);
    times(size);
  }

  private void describe() throws IOException {
    try (Device device = open()) {
      result.put("gpu", device.name());
      result.put("date", Instant.now().toString());
      result.put("commit", System.getProperty("ivit.gpu.commit", "unknown"));
      result.put("compute_sanitizer", System.getProperty("ivit.gpu.sanitizer", "not run"));
    }
    report.write();
  }

  private void micros(Size size) throws IOException {
    List<MicroCase> cases = MicroCase.all();
    for (ProductPrecision precision : ProductPrecision.values()) {
      boolean all = size.full() || precision == ProductPrecision.FLOAT32;
      for (MicroCase micro : cases.subList(0, all ? size.cases : 1)) {
        lockstep(micro.start(), DeviceWay.of(precision), MICRO_STEPS);
      }
    }
    DeviceWay single = DeviceWay.of(ProductPrecision.FLOAT32);
    for (MicroCase micro : cases.subList(0, size.full() ? size.cases : 1)) {
      lockstep(micro.start(), single.recomputing(), MICRO_STEPS);
    }
    for (WeightCoding coding : WeightCoding.values()) {
      lockstep(cases.get(1).start().onGrids(coding, 4), single, MICRO_STEPS);
    }
    if (size.full()) {
      for (MicroCase wide : MicroCase.wide()) {
        lockstep(wide.start(), single, 1);
      }
      for (MicroCase family : MicroCase.families()) {
        lockstep(family.start(), single, 1);
      }
    }
    kernels();
  }

  /** Steps of the large case, in other ways a few where there is time. */
  private void large(TrainingCase start, Size size) throws IOException {
    DeviceWay single = DeviceWay.of(ProductPrecision.FLOAT32);
    boolean library = library(start, single);
    lockstep(start, single, size.steps);
    if (library) {
      lockstep(start, single.byLibrary(), FEW_STEPS);
    }
    if (!size.full()) {
      return;
    }
    lockstep(start, single.recomputing(), FEW_STEPS);
    for (ProductPrecision precision : ProductPrecision.values()) {
      if (precision != ProductPrecision.FLOAT32) {
        lockstep(start, DeviceWay.of(precision), FEW_STEPS);
        if (library) {
          lockstep(start, DeviceWay.of(precision).byLibrary(), FEW_STEPS);
        }
      }
    }
    gpu = gpu.withWarpgroups(true);
    boolean warpgroups;
    try (Device device = open()) {
      warpgroups = device.warpgroups();
    }
    if (warpgroups) {
      lockstep(start.withName(start.name() + ", by warpgroups"), single, FEW_STEPS);
    }
    gpu = gpu.withWarpgroups(false);
    kernels();
  }

  /** Whether cuBLASLt is installed. */
  private boolean library(TrainingCase start, DeviceWay way) {
    try (DeviceRun run = new DeviceRun(start, open(), way);
        DeviceRun other = new DeviceRun(start, open(), way.byLibrary())) {
      result.put("library", other.products());
      return !other.products().equals(run.products());
    }
  }

  /** Which of the compiled kernels a check has run. */
  private void kernels() throws IOException {
    KernelImages images = new KernelImages(TrainingKernels.class, "/cuda/training/");
    String ptx = new String(images.read("kernels_compute_75.ptx.gz"), StandardCharsets.ISO_8859_1);
    Set<String> others = new TreeSet<>();
    Matcher entries = Pattern.compile("\\.entry ([a-z_0-9]+)\\(").matcher(ptx);
    while (entries.find()) {
      others.add(entries.group(1));
    }
    others.removeAll(kernels);
    ArrayNode checked = result.putArray("kernels_checked");
    kernels.forEach(checked::add);
    ArrayNode rest = result.putArray("kernels_not_checked");
    others.forEach(rest::add);
    report.write();
  }

  private void lockstep(TrainingCase start, DeviceWay way, int steps) throws IOException {
    ObjectNode row = report.check();
    WatchedDevice watched = new WatchedDevice(open());
    boolean agrees;
    try (StepRun host = new HostRun(start);
        StepRun device = new DeviceRun(start, watched.device(), way)) {
      agrees = new Lockstep().agrees(host, device, way.precision(), steps, row);
    }
    kernels.addAll(watched.kernels());
    report.record("%d steps of %s, %s".formatted(steps, start.name(), way), row, agrees);
  }

  /** Where no trained model is in the folder. */
  private static TrainingCase other(Size size) {
    if (!size.full()) {
      return MicroCase.all().get(0).start();
    }
    SplittableRandom random = new SplittableRandom(3);
    Architecture architecture = Architectures.byName(TIMED.get(0));
    return TrainingCase.calibrated(
        architecture.name() + ", random weights",
        architecture,
        Scheme.EXACT,
        0,
        new CrossEntropy(0, 1),
        TrainingCase.weights(architecture, random, 0.02),
        List.of(
            StepPictures.random(random, architecture, false, 8),
            StepPictures.random(random, architecture, false, 8)),
        1e-5);
  }

  private void curves(TrainingCase start, Size size) throws IOException {
    ObjectNode still = result.putObject("losses_at_a_small_rate");
    boolean equal =
        new LearningCurves(
                this::open, start.withLearningRate(STILL * start.learningRate()), size.steps)
            .agree(List.of(ProductPrecision.FLOAT32), LOSS, LOSS, still);
    report.record("losses of a run at a small rate", report.check(), equal);
    say(still, "float32");
    ObjectNode row = result.putObject("learning_curves");
    boolean alike =
        new LearningCurves(this::open, start, size.steps)
            .agree(List.of(ProductPrecision.values()), CURVE, Double.POSITIVE_INFINITY, row);
    report.record("learning curves", report.check(), alike);
    for (String precision : List.of("float32", "tf32", "bf16")) {
      say(row, precision);
    }
  }

  private void say(ObjectNode row, String precision) {
    JsonNode curve = row.get(precision);
    report.say(
        "       %s: means differ by %.2g, losses by %.2g at most; the first %d are equal",
        precision,
        curve.get("difference_of_means").doubleValue(),
        curve.get("largest_difference").doubleValue(),
        curve.get("first_difference").intValue());
  }

  private void resume(String name, Size size) throws IOException {
    List<ProductPrecision> precisions =
        size.full()
            ? List.of(ProductPrecision.FLOAT32, ProductPrecision.BF16)
            : List.of(ProductPrecision.FLOAT32);
    Path folder = Files.createTempDirectory("gpu-check");
    try {
      for (ProductPrecision precision : precisions) {
        ObjectNode row = report.check();
        boolean same = false;
        try {
          same = new KillAndResume(name, precision, folder).sameBits(row);
        } catch (IOException e) {
          row.put("error", e.getMessage());
        }
        report.record("killed and resumed, " + precision, row, same);
      }
    } finally {
      try (var files = Files.list(folder)) {
        for (Path path : files.toList()) {
          Files.delete(path);
        }
      }
      Files.delete(folder);
    }
  }

  private void times(Size size) throws IOException {
    ArrayNode rows = result.putArray("steps");
    boolean full = size.full();
    StepTimes times = new StepTimes(this::open, size.batch, size.samples);
    List<Architecture> architectures =
        full
            ? TIMED.stream().map(Architectures::byName).toList()
            : List.of(MicroCase.all().get(0).architecture());
    for (Architecture architecture : architectures) {
      TrainingCase start = times.start(architecture);
      for (DeviceWay way : ways()) {
        time(times, start, way, rows.addObject());
        report.write();
      }
    }
  }

  /**
   * Own kernels in every precision, the library where it is installed, and one with less memory.
   */
  private List<DeviceWay> ways() {
    List<DeviceWay> ways = new ArrayList<>();
    for (ProductPrecision precision : ProductPrecision.values()) {
      ways.add(DeviceWay.of(precision));
      if (result.get("library").textValue().contains("cuBLASLt")) {
        ways.add(DeviceWay.of(precision).byLibrary());
      }
    }
    ways.add(DeviceWay.of(ProductPrecision.BF16).recomputing());
    return ways;
  }

  private void time(StepTimes times, TrainingCase start, DeviceWay way, ObjectNode row) {
    try {
      times.measure(start, way, row);
      report.say(
          "%s, batch %d, %s: step %.1f ms, %.2f GB",
          start.name(),
          row.get("batch").intValue(),
          way,
          row.get("step_ms").doubleValue(),
          row.get("device_bytes").longValue() / 1e9);
    } catch (InputException e) {
      row.put("error", e.getMessage());
      report.say("%s, %s: %s", start.name(), way, e.getMessage());
    }
  }
}
