package org.ivit.train.loop;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Answer;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.cuda.Gpu;
import org.ivit.core.dataset.Dataset;
import org.ivit.core.dataset.Datasets;
import org.ivit.core.engine.choice.EngineConfig;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.image.EvaluationTransform;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.scheme.Range;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.scheme.SchemeJson;
import org.ivit.core.weight.WeightGrid;
import org.ivit.train.augment.BatchMixer;
import org.ivit.train.augment.TrainingTransform;
import org.ivit.train.device.memory.TrainingKernels;
import org.ivit.train.distributed.GradientCluster;
import org.ivit.train.distributed.GradientJob;
import org.ivit.train.distributed.GradientService;
import org.ivit.train.loading.BatchAssembly;
import org.ivit.train.loading.EpochBatches;
import org.ivit.train.loading.Loading;
import org.ivit.train.loading.RecipePictures;
import org.ivit.train.memory.RealType;
import org.ivit.train.monitor.RunStoppedException;
import org.ivit.train.monitor.Speed;
import org.ivit.train.monitor.TrainingMonitor;
import org.ivit.train.nd4j.NdBackend;
import org.ivit.train.network.AdamW;
import org.ivit.train.network.DeviceTrainingStep;
import org.ivit.train.network.NetworkOptions;
import org.ivit.train.network.StartWeights;
import org.ivit.train.network.Teacher;
import org.ivit.train.network.TrainingStep;
import org.ivit.train.network.TransformerNetwork;
import org.ivit.train.observer.ObserverSet;
import org.ivit.train.operator.RangeMode;
import org.ivit.train.parameter.GridForm;
import org.ivit.train.parameter.GridPoints;
import org.ivit.train.ptq.PostTrainingCalibration;
import org.ivit.train.ptq.bits.ChosenBits;
import org.ivit.train.recipe.Distillation;
import org.ivit.train.recipe.Optimizer;
import org.ivit.train.recipe.Pictures;
import org.ivit.train.recipe.Precision;
import org.ivit.train.recipe.Recipe;
import org.ivit.train.recipe.ScheduleChoice;
import org.ivit.train.recipe.TrainingDevice;
import org.ivit.train.report.Metrics;
import org.ivit.train.report.RunDrawing;
import org.ivit.train.run.MetricsLog;
import org.ivit.train.run.RunDirectory;
import org.ivit.train.run.RunLock;
import org.ivit.train.run.TrainingCheckpoint;
import org.ivit.train.run.TrainingState;
import org.ivit.train.step.NetworkStep;
import org.ivit.train.step.StepResult;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs a recipe. The same recipe, seed, machine and thread count give the same weights, whether a
 * run goes through or is stopped and resumed.
 */
public final class Trainer {
  private static final Logger LOG = LoggerFactory.getLogger(Trainer.class);

  private final RunDirectory run;
  private Recipe recipe;
  private final Architecture architecture;
  private final TrainingMonitor monitor;
  private final WorkerPool pool;
  private final EvaluationTransform evaluation;
  private final GradientCluster cluster;

  /** Where steps are taken; null on the processor, and where there are none. */
  private final Gpu gpu;

  private Dataset training;
  private Dataset calibrating;
  private Validation validation;
  private TransformerNetwork network;
  private NetworkStep step;
  private WeightAverage average;
  private Teacher teacher;
  private GradientService gradients;
  private ObserverSet observers;
  private MetricsLog metrics;
  private TrainingState state;

  private Trainer(
      RunDirectory run,
      Recipe recipe,
      GradientCluster cluster,
      Gpu gpu,
      TrainingMonitor monitor,
      WorkerPool pool) {
    this.run = run;
    this.recipe = recipe;
    this.architecture = run.architecture();
    this.monitor = monitor;
    this.pool = pool;
    this.cluster = cluster;
    this.gpu =
        recipe.device() == TrainingDevice.CPU || recipe.schedule().epochs() == 0 ? null : gpu;
    this.evaluation = new EvaluationTransform(RecipePictures.preprocess(recipe, architecture));
  }

  /**
   * Starts a run.
   *
   * @param recipe what to do
   * @param monitor hears how it goes on
   * @return the run's folder, finished
   * @throws InputException if something that the recipe names cannot be used, if a bound of the
   *     arithmetic fails, if the loss is not finite any more, or if another process trains in the
   *     run's folder
   * @throws RunStoppedException if the monitor asked for it
   */
  public static RunDirectory start(Recipe recipe, TrainingMonitor monitor) {
    return start(recipe, null, EngineConfig.standard().gpu(), monitor);
  }

  /**
   * As {@link #start(Recipe, TrainingMonitor)}, with the gradients of steps computed elsewhere.
   *
   * @param cluster where; null for this process
   * @param gpu where the recipe takes steps on one
   */
  public static RunDirectory start(
      Recipe asked, GradientCluster cluster, Gpu gpu, TrainingMonitor monitor) {
    Recipe recipe = withFile(asked);
    Architecture architecture = RunDirectory.architecture(recipe);
    FloatWeights weights =
        recipe.weights() == null ? null : StartWeights.read(recipe, architecture, monitor::say);
    requireProcessor(recipe, recipe.device(), weights);
    requireDevice(recipe, recipe.device(), cluster, gpu);
    NdBackend.require();
    // Once before the folder is touched, and once while no other process can end a run in it.
    RunDirectory.create(recipe);
    RunLock lock = RunLock.take(recipe.output());
    try (WorkerPool pool = new WorkerPool(recipe.threads())) {
      RunDirectory run = RunDirectory.create(recipe);
      Trainer trainer = new Trainer(run, recipe, cluster, gpu, monitor, pool);
      trainer.open(weights);
      trainer.openCalibration();
      trainer.begin(weights);
      trainer.train();
      return run;
    } finally {
      lock.close();
    }
  }

  /**
   * Goes on with a run from its last checkpoint.
   *
   * @param run the folder of a run
   * @param monitor hears how it goes on
   * @return the run's folder, finished
   * @throws InputException as {@link #start}, and if pictures or teacher are not those of the run
   * @throws RunStoppedException if the monitor asked for it
   */
  public static RunDirectory resume(RunDirectory run, TrainingMonitor monitor) {
    return resume(run, run.recipe().device(), null, EngineConfig.standard().gpu(), monitor);
  }

  /**
   * As {@link #resume(RunDirectory, TrainingMonitor)}, with steps taken elsewhere than before.
   *
   * @param device where to take them
   * @param cluster where gradients are computed; null for this process
   * @param gpu where steps are taken on one
   */
  public static RunDirectory resume(
      RunDirectory run,
      TrainingDevice device,
      GradientCluster cluster,
      Gpu gpu,
      TrainingMonitor monitor) {
    requireDevice(run.recipe(), device, cluster, gpu);
    if (run.state().finished()) {
      monitor.say(run.path() + ": the run is finished, nothing to do");
      return run;
    }
    NdBackend.require();
    Recipe recipe = run.recipe();
    FloatWeights start =
        recipe.weights() == null
            ? null
            : StartWeights.read(recipe, run.architecture(), monitor::say);
    RunLock lock = RunLock.take(run.path());
    try (WorkerPool pool = new WorkerPool(recipe.threads())) {
      Trainer trainer = new Trainer(run, recipe.withDevice(device), cluster, gpu, monitor, pool);
      TrainingCheckpoint latest = run.latest();
      requireProcessor(recipe, device, latest.weights());
      trainer.open(start);
      trainer.restore(latest);
      trainer.train();
      return run;
    } finally {
      lock.close();
    }
  }

  /** The run as it is written down: another run that it starts from may go on. */
  private static Recipe withFile(Recipe asked) {
    Path weights = asked.weights();
    if (weights != null && !Files.exists(weights)) {
      throw new InputException(
          "weights: "
              + weights
              + ": no such file or folder, expected float weights or the directory of a finished"
              + " run");
    }
    return weights != null && RunDirectory.isRun(weights)
        ? asked.withWeights(RunDirectory.open(weights).bestWeights())
        : asked;
  }

  /** A GPU that is not there is found out before calibration, and before a folder is made. */
  private static void requireDevice(
      Recipe recipe, TrainingDevice device, GradientCluster cluster, Gpu gpu) {
    if (device == TrainingDevice.CPU) {
      return;
    }
    if (cluster != null) {
      throw new InputException("device: found cuda, expected cpu on a cluster");
    }
    if (recipe.schedule().epochs() > 0) {
      TrainingKernels.open(gpu).close();
    }
  }

  /** Weights of fewer bits are quantized onto their grids by the processor alone. */
  private static void requireProcessor(Recipe recipe, TrainingDevice device, FloatWeights weights) {
    if (device == TrainingDevice.CPU
        || recipe.schedule().epochs() == 0
        || recipe.precision() != Precision.QUANTIZED) {
      return;
    }
    if (recipe.quantization().weights().fewer()) {
      throw new InputException(
          "device: found cuda, expected cpu with quantization.weights of fewer than 8 bits, which"
              + " are trained on the processor alone");
    }
    if (weights == null || weights.grids().isEmpty()) {
      return;
    }
    Map.Entry<String, WeightGrid> first = weights.grids().entrySet().iterator().next();
    throw new InputException(
        "device: found cuda, expected cpu: %s has %s, and weights of fewer than 8 bits are trained"
                .formatted(first.getKey(), first.getValue().describe())
            + " on the processor alone");
  }

  private void open(FloatWeights start) {
    if (recipe.data().train() != null) {
      training = RecipePictures.open(recipe.data().train(), recipe, architecture);
      int needed = recipe.optimizer().batchSize();
      if (recipe.schedule().epochs() > 0 && training.size() < needed) {
        throw new InputException(
            "data.train: found %s pictures, expected at least optimizer.batchSize, %s"
                .formatted(training.size(), needed));
      }
    }
    teacher = Teacher.open(recipe, architecture, start, pool, monitor::say);
    requireTeacher();
    if (recipe.data().validation() != null) {
      Dataset judging = RecipePictures.open(recipe.data().validation(), recipe, architecture);
      if (training != null) {
        RecipePictures.requireSameClasses(training, judging);
      }
      validation =
          new Validation(
              judging,
              evaluation,
              RecipePictures.onCorrupt(recipe),
              gpu,
              pool,
              recipe.threads(),
              teacher);
    }
  }

  /** What features should be, no label says. */
  private void requireTeacher() {
    boolean asked = recipe.schedule().epochs() > 0 || recipe.data().validation() != null;
    if (architecture.answer() == Answer.FEATURES && asked && teacher == null) {
      throw new InputException(
          "distillation: found none, expected a teacher: "
              + architecture.name()
              + " answers with features, which are learned from and compared with a teacher's");
    }
  }

  private void openCalibration() {
    if (recipe.precision() == Precision.QUANTIZED) {
      Pictures pictures = recipe.quantization().calibration().data();
      calibrating =
          pictures == null ? training : RecipePictures.open(pictures, recipe, architecture);
    }
  }

  private void begin(FloatWeights start) {
    Scheme scheme = null;
    SortedMap<String, Range> ranges = new TreeMap<>();
    FloatWeights weights = start == null ? build(null, Map.of()).weights() : start;
    if (recipe.precision() == Precision.QUANTIZED) {
      PostTrainingCalibration.Result found = calibrate(weights);
      weights = found.weights();
      scheme = found.scheme();
      ranges = found.ranges();
      sayOutliers(scheme);
      if (found.bits() != null) {
        take(found.bits());
      }
    }
    prepare(weights, scheme, ranges);
    if (recipe.emaDecay() > 0) {
      average = new WeightAverage(recipe.emaDecay(), weights, architecture);
    }
    state =
        TrainingState.start(
            training == null ? "" : Datasets.digest(training), Teacher.digest(recipe));
    run.begin(recipe);
    metrics = MetricsLog.open(run.metrics(), -1);
    if (recipe.schedule().epochs() == 0) {
      validate(0, this::stopBeforeTheFirstCheckpoint);
      state = state.finish();
    }
    save();
  }

  /** What was chosen is the recipe from here on, also of a run that is resumed. */
  private void take(ChosenBits bits) {
    recipe = recipe.withWeightRules(bits.rules());
    monitor.say("bits of weights: " + bits.summary());
    bits.table().forEach(monitor::say);
  }

  private void sayOutliers(Scheme scheme) {
    monitor.say("outlier channels: " + scheme.outlierCounts());
    scheme
        .outliers()
        .forEach(
            (node, set) ->
                LOG.debug(
                    "outlier channels of {}: {}, times 2^{}", node, set.channels(), set.shift()));
  }

  private TransformerNetwork build(Scheme scheme, Map<String, GridForm> grids) {
    Optimizer o = recipe.optimizer();
    ScheduleChoice s = recipe.schedule();
    int steps = stepsPerEpoch();
    WarmupCosine rate =
        new WarmupCosine(
            o.learningRate(),
            s.minimumRate(),
            s.warmupRate(),
            (int) Math.round(s.warmupEpochs() * steps),
            s.epochs() * steps);
    AdamW adamw = new AdamW(rate, o.weightDecay(), o.betas().get(0), o.betas().get(1), o.epsilon());
    Distillation d = recipe.distillation();
    return TransformerNetwork.build(
        new NetworkOptions(
            architecture,
            scheme,
            RealType.FLOAT32,
            recipe.seed(),
            s.epochs() == 0 ? null : adamw,
            recipe.stochasticDepth(),
            d == null ? 0 : d.weight(),
            d == null ? 1 : d.temperature(),
            grids),
        pool);
  }

  private void prepare(FloatWeights weights, Scheme scheme, SortedMap<String, Range> ranges) {
    network =
        build(
            scheme,
            scheme == null
                ? Map.of()
                : GridPoints.forms(weights.grids(), recipe.quantization().weights().learn()));
    network.load(weights);
    if (scheme != null) {
      network.ranges(ranges);
      observers = new ObserverSet(recipe.quantization().observers(), architecture.nodes());
    }
  }

  /** Where steps are taken; a device begins with the network and the average as they are. */
  private NetworkStep openStep() {
    double clipNorm = recipe.optimizer().clipNorm();
    if (gpu == null) {
      NetworkStep here = new TrainingStep(network, clipNorm);
      if (recipe.schedule().epochs() > 0) {
        monitor.say("training on " + here.description());
      }
      return here;
    }
    NetworkStep opened =
        new DeviceTrainingStep(
            network,
            TrainingKernels.open(gpu),
            clipNorm,
            recipe.gpu(),
            teacher == null ? null : teacher.model(),
            recipe.emaDecay(),
            average == null ? null : average.weights(),
            pool);
    monitor.say("training on " + opened.description());
    return opened;
  }

  /** The moving average, wherever it is kept; null without one. */
  private FloatWeights averaged() {
    FloatWeights kept = step == null ? null : step.average();
    return kept != null || average == null ? kept : average.weights();
  }

  private int stepsPerEpoch() {
    if (training == null || recipe.schedule().epochs() == 0) {
      return 0;
    }
    int batches = EpochBatches.count(training, recipe.optimizer().batchSize());
    return Math.max(1, batches / recipe.optimizer().accumulation());
  }

  private PostTrainingCalibration.Result calibrate(FloatWeights weights) {
    return new RecipeCalibration(recipe, architecture, pool)
        .run(
            weights,
            calibrating,
            new ExportedSize(recipe, architecture, training == null ? calibrating : training),
            (stage, done, total) -> {
              monitor.calibrated(stage, done, total);
              stopBeforeTheFirstCheckpoint();
            });
  }

  private void restore(TrainingCheckpoint checkpoint) {
    state = checkpoint.state();
    check("data.train", state.data(), training == null ? "" : Datasets.digest(training));
    check("distillation.teacher", state.teacher(), Teacher.digest(recipe));
    prepare(checkpoint.weights(), checkpoint.scheme(), checkpoint.ranges());
    if (checkpoint.average() != null) {
      average = new WeightAverage(recipe.emaDecay(), checkpoint.average(), architecture);
    }
    network.restoreUpdater(checkpoint.optimizer(), state.step());
    metrics = MetricsLog.open(run.metrics(), state.step());
  }

  private void check(String key, String before, String now) {
    if (!before.equals(now)) {
      throw new InputException(
          "%s: %s is not what the run was started with, expected the same files"
              .formatted(run.path(), key));
    }
  }

  private void train() {
    if (cluster != null && recipe.schedule().epochs() > 0 && !state.finished()) {
      try (GradientService opened = cluster.gradients(job())) {
        gradients = opened;
        monitor.say("training on " + opened.description());
        trainEpochs();
      } finally {
        gradients = null;
      }
      return;
    }
    try (NetworkStep opened = openStep()) {
      step = opened;
      trainEpochs();
    } finally {
      step = null;
    }
  }

  private GradientJob job() {
    Scheme scheme = network.options().scheme();
    return new GradientJob(
        recipe.withAbsolutePaths().toYaml(),
        scheme == null ? null : SchemeJson.write(scheme).toString(),
        GridPoints.text(network.options().grids()),
        state.data(),
        state.teacher());
  }

  private void trainEpochs() {
    int epochs = recipe.schedule().allEpochs();
    for (int epoch = state.epoch(); epoch < epochs && !state.finished(); epoch++) {
      epoch(epoch);
      TrainingState trained = state;
      boolean last = epoch == epochs - 1;
      state = state.atEpoch(epoch + 1);
      synchronise();
      if (recipe.precision() == Precision.QUANTIZED) {
        network.integerGraph();
      }
      if (last || (epoch + 1) % recipe.data().validationInterval() == 0) {
        validate(epoch, () -> stopAt(trained));
      }
      if (last) {
        state = state.finish();
      }
      RunDrawing.write(Metrics.read(run.metrics()), run.path().resolve("learning-curve.svg"));
      save();
    }
  }

  private void epoch(int epoch) {
    boolean moving =
        recipe.precision() == Precision.QUANTIZED && epoch < recipe.quantization().freezeEpoch();
    network.rangeMode(moving ? RangeMode.LAGGED : RangeMode.FROZEN);
    int perEpoch = stepsPerEpoch();
    int total = perEpoch * recipe.schedule().allEpochs();
    Speed speed = new Speed();
    try (EpochSteps steps = steps(epoch, moving)) {
      for (int i = state.step() - epoch * perEpoch; i < perEpoch; i++) {
        double rate = network.learningRate();
        EpochSteps.Taken taken = steps.next();
        if (taken == null) {
          break;
        }
        StepResult result = taken.result();
        requireFinite(result);
        if (moving) {
          network.ranges(observers.move(network.ranges(), result.seen()));
        }
        if (average != null && (step == null || !step.averages())) {
          average.update(network.weights());
        }
        double picturesPerSecond = speed.add(taken.pictures(), taken.work());
        Loading loading = speed.loading();
        state = state.stepped(epoch, taken.position());
        metrics.step(
            state.step(),
            state.step() / (double) perEpoch,
            result.loss(),
            rate,
            result.gradientNorm(),
            picturesPerSecond,
            loading.waited());
        monitor.step(state.step(), total, epoch, result.loss(), picturesPerSecond, loading);
        stopAt(state);
        int every = recipe.checkpoints().every();
        if (every > 0 && state.step() % every == 0 && i + 1 < perEpoch) {
          save();
        }
      }
    }
  }

  /**
   * Keeps where the run stands and ends it, if that is asked for. A resumed run computes what was
   * left of the epoch, its validation included.
   */
  private void stopAt(TrainingState reached) {
    if (!monitor.stopping()) {
      return;
    }
    state = reached;
    save();
    int total = stepsPerEpoch() * recipe.schedule().allEpochs();
    throw RunStoppedException.after(state.step(), total, run.path());
  }

  private void stopBeforeTheFirstCheckpoint() {
    if (monitor.stopping()) {
      throw RunStoppedException.beforeTheFirstCheckpoint();
    }
  }

  private EpochSteps steps(int epoch, boolean moving) {
    int accumulation = recipe.optimizer().accumulation();
    if (gradients != null) {
      return new DistributedSteps(
          gradients,
          network,
          new TrainingStep(network, recipe.optimizer().clipNorm()),
          new DistributedSteps.Epoch(
              epoch,
              state.position(),
              training.size(),
              recipe.optimizer().batchSize(),
              accumulation,
              moving));
    }
    TrainingTransform transform =
        new TrainingTransform(recipe.augmentation(), evaluation.preprocess(), recipe.seed());
    BatchMixer mixer =
        new BatchMixer(
            recipe.augmentation(), RecipePictures.labelled(training, architecture), recipe.seed());
    EpochBatches<?> batches =
        step.preparesPictures()
            ? batches(epoch, new BatchAssembly.Planned(transform, mixer))
            : batches(epoch, new BatchAssembly.Normalised(transform, mixer));
    return new LocalSteps(batches, teacher, step, accumulation);
  }

  private <T> EpochBatches<T> batches(int epoch, BatchAssembly<T> assembly) {
    return new EpochBatches<>(
        training,
        assembly,
        recipe.optimizer().batchSize(),
        recipe.seed(),
        epoch,
        recipe.data().train().repeats(),
        state.position(),
        RecipePictures.onCorrupt(recipe),
        recipe.threads());
  }

  private void requireFinite(StepResult result) {
    if (!result.finite()) {
      throw new InputException(
          run.path()
              + ": step "
              + (state.step() + 1)
              + ": found loss "
              + result.loss()
              + " and gradient norm "
              + result.gradientNorm()
              + ", expected finite ones: lower optimizer.learningRate or set optimizer.clipNorm;"
              + " the last checkpoint is kept");
    }
  }

  /**
   * @param stop ends the run where that is asked for; the network has its own weights then
   */
  private void validate(int epoch, Runnable stop) {
    if (validation == null) {
      return;
    }
    FloatWeights own = null;
    FloatWeights average = averaged();
    if (average != null) {
      own = network.weights();
      network.load(average);
    }
    Validation.Result result =
        validation.run(
            network,
            (done, total) -> {
              monitor.validating(done, total);
              return !monitor.stopping();
            });
    if (own != null) {
      network.load(own);
    }
    if (result == null) {
      stop.run();
      return;
    }
    if (architecture.answer() == Answer.FEATURES) {
      double cosine = 1 - result.loss();
      state = state.validated(cosine);
      metrics.validation(state.step(), state.epoch(), Double.NaN, result.loss());
      monitor.validatedFeatures(epoch, result.pictures(), cosine);
      return;
    }
    state = state.validated(result.top1());
    metrics.validation(state.step(), state.epoch(), result.top1(), result.loss());
    monitor.validated(epoch, result.right(), result.pictures(), result.loss());
  }

  private void synchronise() {
    if (step != null) {
      step.synchronise();
    }
  }

  private void save() {
    synchronise();
    run.save(
        new TrainingCheckpoint(
            network.weights(),
            averaged(),
            network.options().scheme(),
            network.ranges(),
            network.updaterState(),
            state));
    monitor.saved(state.step(), run.metrics());
  }
}
