package org.ivit.export.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Answer;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.calibration.ObservingForward;
import org.ivit.core.checkpoint.CheckpointFile;
import org.ivit.core.checkpoint.ClassNames;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.core.checkpoint.Provenance;
import org.ivit.core.checkpoint.SourceDate;
import org.ivit.core.dataset.ClassList;
import org.ivit.core.dataset.Dataset;
import org.ivit.core.dataset.Datasets;
import org.ivit.core.dataset.Locations;
import org.ivit.core.dataset.PictureSource;
import org.ivit.core.engine.portable.PortableMatrixProducts;
import org.ivit.core.family.Architectures;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.graph.build.GraphBuilder;
import org.ivit.core.image.Preprocess;
import org.ivit.core.io.FileFailures;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.pretrained.PretrainedModel;
import org.ivit.export.cli.console.Progress;
import org.ivit.export.cli.console.WrittenFile;
import org.ivit.export.cli.option.PictureFiles;
import org.ivit.export.evaluate.ModelReading;
import org.ivit.export.evaluate.Models;
import org.ivit.export.freeze.IdentityCheck;
import org.ivit.export.model.FloatSource;
import org.ivit.train.loading.RecipePictures;
import org.ivit.train.loop.RecipeCalibration;
import org.ivit.train.monitor.ConsoleMonitor;
import org.ivit.train.ptq.PostTrainingCalibration;
import org.ivit.train.recipe.Pictures;
import org.ivit.train.recipe.Recipe;
import org.ivit.train.recipe.RecipeDraft;

/** What {@code ivit quantize} does: reads, calibrates, freezes, verifies, writes. */
final class Quantizing {
  private static final String DATA = "quantization.calibration.data";

  private final Request request;
  private final PrintWriter out;
  private final FloatSource source;
  private final Architecture architecture;
  private final Recipe recipe;

  /** The options of the command, null where they are not given. */
  record Request(
      Path weights,
      String architecture,
      String weightsKey,
      String data,
      Path config,
      List<String> overrides,
      Path classes) {}

  /**
   * Reads recipe and weights.
   *
   * @param out where it is said what was chosen
   * @throws InputException if the options leave something open, or recipe or weights cannot be used
   */
  Quantizing(Request request, PrintWriter out) {
    this.request = request;
    this.out = out;
    RecipeDraft draft = draft(request);
    this.source = source(draft);
    this.architecture = source.architecture();
    this.recipe = recipe(draft);
  }

  /** The recipe with what the options say. */
  private static RecipeDraft draft(Request request) {
    RecipeDraft draft = new RecipeDraft(request.config, request.overrides);
    put(draft, "weights", request.weights);
    put(draft, "weightsKey", request.weightsKey);
    put(draft, "data.classes", request.classes);
    if (request.architecture != null) {
      draft.put(
          "architecture",
          request.architecture.stripLeading().startsWith("{")
              ? Architectures.toJson(Architectures.parse(request.architecture))
              : TextNode.valueOf(request.architecture.strip()));
    }
    if (request.data != null) {
      boolean selects = draft.get(DATA + ".path") != null;
      draft.put(selects ? DATA + ".path" : DATA, request.data);
    }
    JsonNode precision = draft.get("precision");
    if (precision != null && precision.asText().equals("float")) {
      throw draft.bad("precision", "quantized");
    }
    draft.put("schedule.epochs", IntNode.valueOf(0));
    return draft;
  }

  private static void put(RecipeDraft draft, String key, Object value) {
    if (value != null) {
      draft.put(key, value.toString());
    }
  }

  private static FloatSource source(RecipeDraft draft) {
    if (draft.get("weights") == null) {
      throw new InputException("--weights is missing, and no recipe names weights");
    }
    if (draft.get(DATA) == null && draft.get("data.train") == null) {
      throw new InputException("--data is missing, and no recipe names pictures");
    }
    JsonNode key = draft.get("weightsKey");
    FloatSource found =
        Models.floats(
            Path.of(draft.get("weights").asText()),
            new ModelReading(text(draft.get("architecture")), key == null ? null : key.asText()));
    found.weights().requireCodes(found.identity().path());
    return found;
  }

  /** A timm name or JSON text; null for nothing. */
  private static String text(JsonNode architecture) {
    if (architecture == null) {
      return null;
    }
    return architecture.isTextual() ? architecture.asText() : architecture.toString();
  }

  /** The recipe with the architecture of the weights, where they bring it or complete it. */
  private Recipe recipe(RecipeDraft draft) {
    JsonNode said = draft.get("architecture");
    boolean completed = PretrainedModel.Wishes.of(text(said), null) != null;
    if (completed || !Architectures.parse(said).equals(architecture)) {
      draft.put("architecture", Architectures.toJson(architecture));
    }
    return draft.read();
  }

  /**
   * Calibrates, verifies and writes.
   *
   * @param verify on how many pictures
   * @param output the file to write
   */
  void run(int verify, Path output) {
    Pictures selection = recipe.quantization().calibration().data();
    selection = selection == null ? recipe.data().train() : selection;
    try (Dataset all = open(selection);
        WorkerPool pool = new WorkerPool(recipe.threads())) {
      Dataset set = RecipePictures.part(selection, all);
      Preprocess preprocess = RecipePictures.preprocess(recipe, architecture);
      ClassNames classes = classes(all);
      QuantizationTable table = new QuantizationTable(out);
      table.inputs(
          source,
          request.config,
          recipe.quantization().calibration(),
          selection.path(),
          set.size(),
          preprocess);
      Frozen frozen =
          (graph, resolved) ->
              new IntegerCheckpoint(
                  graph, preprocess, classes.toList(architecture), provenance(resolved));
      PostTrainingCalibration.Result found = calibrate(set, frozen, pool);
      table.choices(recipe.quantization(), architecture.nodes(), source.weights(), found);
      IntegerCheckpoint checkpoint =
          frozen.of(
              GraphBuilder.build(architecture, found.weights(), found.scheme(), found.ranges()),
              found.bits() == null ? recipe : recipe.withWeightRules(found.bits().rules()));
      String verified = verify == 0 ? "" : verify(verify, found, checkpoint, set, pool);
      String digest = CheckpointFile.write(output, checkpoint);
      out.println(WrittenFile.checkpoint(output, verified, digest, architecture.answer()));
    }
  }

  /** Labels are not looked at, so a folder without any will do, and so will other classes. */
  private Dataset open(Pictures pictures) {
    if (pictures.path() == null) {
      return RecipePictures.open(pictures, recipe, architecture);
    }
    if (pictures.labels() == null && !Locations.isRemote(pictures.path())) {
      Path path = Locations.local(pictures.path());
      if (Files.isDirectory(path) && holdsPictures(path)) {
        return PictureFiles.of(List.of(path));
      }
    }
    return Datasets.open(pictures.path(), null, pictures.labels());
  }

  private static boolean holdsPictures(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files.anyMatch(file -> PictureSource.isPicture(file.getFileName().toString()));
    } catch (IOException e) {
      throw new InputException(folder + ": cannot be read: " + FileFailures.reason(e), e);
    }
  }

  private ClassNames classes(Dataset set) {
    if (architecture.answer() == Answer.FEATURES) {
      return ClassNames.UNKNOWN;
    }
    Path file = recipe.data().classes();
    if (file != null) {
      ClassList list = ClassList.read(file);
      if (list.size() != architecture.classes()) {
        throw new InputException(
            "%s: found %d classes, expected %d as %s has"
                .formatted(file, list.size(), architecture.classes(), architecture.name()));
      }
      return ClassNames.of(list);
    }
    return !source.classes().ids().isEmpty() || set.classes() != architecture.classes()
        ? source.classes()
        : new ClassNames(set.classIds(), set.classNames());
  }

  /** What is written of a model. */
  private interface Frozen {
    /**
     * @param resolved the recipe with what calibration chose
     */
    IntegerCheckpoint of(IntegerGraph graph, Recipe resolved);
  }

  private PostTrainingCalibration.Result calibrate(Dataset set, Frozen frozen, WorkerPool pool) {
    try (ConsoleMonitor monitor = ConsoleMonitor.standard()) {
      return new RecipeCalibration(recipe, architecture, pool)
          .run(
              source.weights(),
              set,
              (graph, rules) ->
                  CheckpointFile.bytes(frozen.of(graph, recipe.withWeightRules(rules))),
              monitor::calibrated);
    }
  }

  private Provenance provenance(Recipe resolved) {
    return new Provenance(
        String.valueOf(recipe.weights().getFileName()),
        source.identity().sha256(),
        resolved.toYaml(),
        SourceDate.text(),
        IvitCommand.Version.version(),
        "");
  }

  /** The forward pass of calibration with its ranges at rest is another path to the same logits. */
  private String verify(
      int count,
      PostTrainingCalibration.Result found,
      IntegerCheckpoint checkpoint,
      Dataset set,
      WorkerPool pool) {
    ObservingForward forward =
        new ObservingForward(
            architecture,
            found.weights(),
            found.scheme(),
            new PortableMatrixProducts(pool),
            values -> found.ranges().get(values.node().name()));
    try (Progress progress = Progress.start("verify", "pictures", Math.min(count, set.size()))) {
      IdentityCheck check =
          IdentityCheck.run(
              "calibration's forward pass",
              forward::run,
              checkpoint,
              set,
              count,
              List.of("cpu"),
              progress::step);
      check.require();
      return ", logits of %d pictures identical to those of %s (%s)"
          .formatted(check.pictures(), check.judge(), String.join(", ", check.engines()));
    }
  }
}
