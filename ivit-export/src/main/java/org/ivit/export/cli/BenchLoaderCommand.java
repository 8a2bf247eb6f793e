package org.ivit.export.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.ivit.core.engine.Processor;
import org.ivit.export.cli.option.Checks;
import org.ivit.export.cli.option.JsonOption;
import org.ivit.train.loading.LoaderBenchmark;
import org.ivit.train.recipe.Recipe;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code ivit bench-loader}: how fast training pictures are loaded. */
@Command(
    name = "bench-loader",
    footerHeading =
        "%nExample:%n  ivit bench-loader --config configs/vit_tiny_imagenet_qat.yaml --pictures"
            + " 400%n",
    description =
        "Measures how fast the training pictures of a recipe are decoded and augmented, and so how"
            + " many threads a GPU's steps need.")
final class BenchLoaderCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(names = "--config", paramLabel = "F", required = true, description = "The recipe.")
  private Path config;

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description =
          "Replaces a value of the recipe, such as data.train.path=DIR or"
              + " augmentation.randAugment=rand-m9-mstd0.5-inc1. Repeatable.")
  private List<String> overrides = new ArrayList<>();

  @Option(
      names = "--threads",
      paramLabel = "N",
      split = ",",
      description = "Numbers of threads (default: 1 and one a processor).")
  private List<Integer> threads = new ArrayList<>();

  @Option(
      names = "--pictures",
      paramLabel = "N",
      defaultValue = "500",
      description = "Pictures whose stages are timed, after as many to warm up (default: 500).")
  private int pictures;

  @Option(
      names = "--seconds",
      paramLabel = "S",
      defaultValue = "5",
      description = "How long to load with each number of threads (default: 5).")
  private double seconds;

  @Mixin private JsonOption json;

  @Override
  public Integer call() {
    Checks.file("--config", config);
    Checks.atLeast("--pictures", pictures, 1);
    Checks.positive("--seconds", seconds);
    for (int count : threads) {
      Checks.atLeast("--threads", count, 1);
    }
    json.validate();
    try (LoaderBenchmark benchmark = new LoaderBenchmark(Recipe.read(config, overrides))) {
      json.write(spec, measure(benchmark, json.text(spec)));
    }
    return 0;
  }

  private ObjectNode measure(LoaderBenchmark benchmark, PrintWriter out) {
    out.printf(
        "%s: %d pictures, loaded at %s pixels%n",
        config, benchmark.size(), benchmark.pictureSize());
    LoaderBenchmark.Stages stages = benchmark.stages(pictures);
    out.printf(
        Locale.ROOT,
        "milliseconds of a core a picture: decode %.2f, crop and resize %.2f, augment %.2f,"
            + " normalise %.2f%n",
        stages.decode(),
        stages.crop(),
        stages.augment(),
        stages.normalise());
    out.printf(
        Locale.ROOT,
        "pictures/s a core: %.0f, or %.0f normalised (as steps on the processor need them)%n",
        1e3 / stages.bytes(),
        1e3 / stages.all());
    out.println("threads   pictures/s");
    ObjectNode result = JsonNodeFactory.instance.objectNode();
    result.put("pictures", benchmark.size());
    result.set("side", benchmark.pictureSize().toJson());
    result.put("decode_ms", stages.decode());
    result.put("crop_ms", stages.crop());
    result.put("augment_ms", stages.augment());
    result.put("normalise_ms", stages.normalise());
    result.put("images_per_second_per_core", 1e3 / stages.bytes());
    result.put("java", System.getProperty("java.vm.name") + " " + Runtime.version());
    result.put("processor", Processor.name());
    result.put("machine", System.getProperty("os.name") + " " + System.getProperty("os.arch"));
    ArrayNode rows = result.putArray("threads");
    for (int count : counts()) {
      double speed = benchmark.picturesPerSecond(count, seconds);
      out.printf(Locale.ROOT, "%7d %12.0f%n", count, speed);
      out.flush();
      rows.addObject().put("threads", count).put("images_per_second", speed);
    }
    return result;
  }

  private List<Integer> counts() {
    if (!threads.isEmpty()) {
      return threads;
    }
    int all = Runtime.getRuntime().availableProcessors();
    return all == 1 ? List.of(1) : List.of(1, all);
  }
}
