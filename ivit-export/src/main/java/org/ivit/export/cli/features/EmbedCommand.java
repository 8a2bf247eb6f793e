package org.ivit.export.cli.features;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.ivit.core.dataset.Dataset;
import org.ivit.core.dataset.OnCorrupt;
import org.ivit.core.dataset.Subset;
import org.ivit.core.io.Digests;
import org.ivit.export.cli.console.EvaluationText;
import org.ivit.export.cli.console.NextCommand;
import org.ivit.export.cli.console.Progress;
import org.ivit.export.cli.console.WrittenFile;
import org.ivit.export.cli.option.AnswerChecks;
import org.ivit.export.cli.option.Checks;
import org.ivit.export.cli.option.JsonOption;
import org.ivit.export.cli.option.ModelOptions;
import org.ivit.export.evaluate.EvaluationJson;
import org.ivit.export.evaluate.PictureBatches;
import org.ivit.export.features.FeatureFile;
import org.ivit.export.features.FeatureFormat;
import org.ivit.export.features.FeatureSpool;
import org.ivit.export.features.Features;
import org.ivit.export.model.Model;
import org.ivit.export.model.ModelIdentity;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code ivit embed}: features of pictures in a file. */
@Command(
    name = "embed",
    footerHeading =
        "%nExample:%n  ivit embed --model dinov2.ivit.safetensors --data photos --output"
            + " photos.npy%n",
    description = "Writes the features of pictures, of a model that answers with features.")
public final class EmbedCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Mixin private ModelOptions options;

  @Option(
      names = "--data",
      required = true,
      arity = "1..*",
      paramLabel = "DIR|FILE",
      description =
          "Picture files, and folders of them with the folders in these; or one set of pictures as"
              + " evaluate takes it: FILE.zip, CIFAR-10, with scripts/ivit-spark also Parquet files"
              + " and Hadoop's paths.")
  private List<String> data;

  @Option(
      names = "--output",
      required = true,
      paramLabel = "E",
      description =
          "The file to write: E.safetensors; E.npy, with the names in E.npy.json; or, with"
              + " scripts/ivit-spark, E.parquet.")
  private Path output;

  @Option(
      names = "--float",
      description =
          "Write float32 values, not an integer model's codes with their scale. Cosines are the"
              + " same.")
  private boolean real;

  @Option(
      names = "--limit",
      paramLabel = "N",
      description = "Only the first N pictures in order of their names.")
  private int limit;

  @Option(
      names = "--batch",
      paramLabel = "N",
      defaultValue = "16",
      description = "Pictures at once (default: ${DEFAULT-VALUE}); it changes no feature.")
  private int batch;

  @Option(
      names = "--skip-corrupt",
      description =
          "Go on where a picture cannot be decoded: it is named, counted and left out. Without it"
              + " the first one ends the command.")
  private boolean skipCorrupt;

  @Mixin private JsonOption json;

  @Override
  public Integer call() {
    options.validate();
    Checks.atLeast("--batch", batch, 1);
    Checks.atLeast("--limit", limit, 0);
    Checks.writable("--output", output);
    json.validate();
    FeatureFormat format = FeatureFormat.of(output);
    PrintWriter out = json.text(spec);
    try (Dataset all = UnlabelledPictures.open(data);
        Model model = options.open()) {
      AnswerChecks.features(model);
      Dataset set = limit > 0 ? Subset.first(all, limit) : all;
      EvaluationText.describe(out, "model", model);
      out.printf("data       %s: %d pictures%n", String.join(" ", data), set.size());
      out.flush();
      try (FeatureSpool features = new FeatureSpool(output)) {
        PictureBatches.Outcome outcome = embed(model, set, features);
        format.write(output, features, origin(model.identity()));
        EvaluationText.skipped(out, outcome.skipped());
        EvaluationText.time(out, outcome.set().size(), outcome.seconds());
        out.println(
            WrittenFile.describe(
                output,
                "%d features, %d %s each, %s"
                    .formatted(
                        features.names().size(),
                        features.width(),
                        features.integer() ? "int32 codes" : "float32 values",
                        WrittenFile.megabytes(output))));
        if (format == FeatureFormat.SAFETENSORS) {
          out.println(
              NextCommand.of("search", "--index", output, "--model", options.model, "IMAGE"));
        }
        out.flush();
        json.write(spec, result(model, outcome, features));
      }
    }
    return 0;
  }

  private PictureBatches.Outcome embed(Model model, Dataset set, FeatureSpool features) {
    try (Progress progress = Progress.start("embed", "pictures", set.size())) {
      return new PictureBatches(
              set,
              skipCorrupt ? OnCorrupt.SKIP : OnCorrupt.FAIL,
              batch,
              options.engine().config().pool().threads())
          .run(
              model.preprocess(),
              (pictures, indices) -> {
                Features rows = model.features(pictures);
                features.add(real ? rows.real() : rows, indices.stream().map(set::name).toList());
              },
              progress::step);
    }
  }

  private static Map<String, String> origin(ModelIdentity model) {
    Map<String, String> origin = new LinkedHashMap<>();
    origin.put("model", model.path());
    origin.put(FeatureFile.MODEL_SHA256, model.sha256());
    if (!model.digest().isEmpty()) {
      origin.put("model_digest", model.digest());
    }
    origin.put("architecture", model.architecture());
    return origin;
  }

  private ObjectNode result(Model model, PictureBatches.Outcome outcome, FeatureSpool features) {
    ObjectNode result = JsonNodeFactory.instance.objectNode();
    ObjectNode file = result.putObject("output");
    file.put("path", output.toString());
    file.put("file_sha256", Digests.file(output));
    file.put("type", features.integer() ? "int32" : "float32");
    if (features.integer()) {
      file.put("scale", features.scale());
    }
    file.put("images", features.names().size());
    file.put("width", features.width());
    EvaluationJson.skipped(result, outcome.skipped());
    result.put("seconds", outcome.seconds());
    EvaluationJson.identify(result, model);
    result.set("preprocess", model.preprocess().toJson());
    return result;
  }
}
