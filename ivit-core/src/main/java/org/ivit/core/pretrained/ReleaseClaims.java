package org.ivit.core.pretrained;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntFunction;
import org.ivit.core.InputException;
import org.ivit.core.Size;
import org.ivit.core.architecture.Rotary.Kind;
import org.ivit.core.family.Architectures;
import org.ivit.core.family.PretrainedPreprocess;
import org.ivit.core.image.CropMode;
import org.ivit.core.image.Interpolation;
import org.ivit.core.image.Preprocess;
import org.ivit.core.pretrained.names.TimmNames;
import org.ivit.core.pretrained.names.TimmNames.Source;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorContents;

/** What is known of a release's file of weights, which has no configuration beside it. */
final class ReleaseClaims {
  private static final String SCRIPT = "TorchScript archive";
  private static final int WHOLE = 518;
  private static final int DINOV3_IMAGE = 256;
  private static final double BFLOAT16_STEP = 0x1p-8;
  private static final String POOL = "attn_pool.latent";

  private ReleaseClaims() {}

  /**
   * @param place where the model's tensors are
   * @param contents the file
   * @throws InputException if the names are those of several families that compute otherwise
   */
  static ModelClaims of(WeightPlace place, TensorContents contents) {
    ObjectNode keys = JsonNodeFactory.instance.objectNode();
    Set<String> timm = place.timmNames();
    return switch (place.timm().source()) {
      case DINOV2 -> dinov2(keys, timm);
      case DINOV3 -> dinov3(keys, place, contents);
      case OPEN_CLIP -> openai(keys, contents);
      case AUGREG, BIG_VISION -> flax(keys, place, contents);
      case TORCHVISION -> torchvision(keys, timm);
      case HUGGING_FACE, HUGGING_FACE_TOWER ->
          throw unknown(contents, "has names of Hugging Face, but no config.json beside it");
      case TIMM ->
          throw unknown(
              contents,
              "holds float weights and no integer checkpoint, and nothing beside it says of which"
                  + " model"
                  + fitting(place, contents));
    };
  }

  /** Whether {@link #of} knows of which release a file is. */
  static boolean knows(WeightPlace place, TensorContents contents) {
    return switch (place.timm().source()) {
      case DINOV2, DINOV3, AUGREG, BIG_VISION, TORCHVISION -> true;
      case OPEN_CLIP -> contents.format().equals(SCRIPT);
      case TIMM, HUGGING_FACE, HUGGING_FACE_TOWER -> false;
    };
  }

  /** The names whose shapes its tensors have. */
  private static String fitting(WeightPlace place, TensorContents contents) {
    Map<String, Tensor> tensors =
        CanonicalWeights.of(TimmNames.of(place.read(contents)), 0, false).tensors();
    List<String> names =
        Architectures.names().stream()
            .filter(name -> fits(Architectures.byName(name).parameters(), tensors))
            .toList();
    return names.isEmpty() ? "" : ": by its shapes it may be " + String.join(", ", names);
  }

  private static boolean fits(Map<String, long[]> parameters, Map<String, Tensor> tensors) {
    return parameters.size() == tensors.size()
        && parameters.entrySet().stream()
            .allMatch(
                parameter ->
                    tensors.containsKey(parameter.getKey())
                        && Arrays.equals(
                            tensors.get(parameter.getKey()).shape(), parameter.getValue()));
  }

  private static InputException unknown(TensorContents contents, String what) {
    return new InputException(
        "%s: %s, expected --architecture NAME".formatted(contents.source(), what));
  }

  private static ModelClaims claims(ObjectNode keys, IntFunction<Preprocess> preprocess) {
    return new ModelClaims(keys, preprocess, List.of());
  }

  private static ModelClaims dinov2(ObjectNode keys, Set<String> timm) {
    boolean registers = timm.contains("reg_token");
    keys.put("name", registers ? "dinov2_reg" : "dinov2");
    keys.put("epsilon", 1e-6);
    // At its own size the model sees the whole picture, as in timm; smaller ones are cut as the
    // release does.
    return claims(
        keys, image -> Preprocess.imagenet(image >= WHOLE ? image : 256 * image / 224, image));
  }

  /** Its pictures may have any size; the release shows 256. */
  private static ModelClaims dinov3(ObjectNode keys, WeightPlace place, TensorContents contents) {
    Tensor periods = contents.read(place.names().get(TimmNames.PERIODS));
    long dim = contents.read(place.names().get("patch_embed.proj.weight")).shape()[0];
    float[] values = periods.floats();
    for (int m = 0; m < values.length; m++) {
      // They are stored in bfloat16, the tables are computed from exact ones.
      double exact = Math.pow(Kind.DINOV3.base(), (double) m / values.length);
      if (!(Math.abs(values[m] / exact - 1) < BFLOAT16_STEP)) {
        throw new InputException(
            "%s: tensor %s: holds %s at %d, expected %s: other rotary positions than DINOv3's"
                .formatted(contents.source(), TimmNames.PERIODS, values[m], m, exact));
      }
    }
    keys.put("name", "dinov3");
    keys.put("image", DINOV3_IMAGE);
    if (values.length > 0 && dim % (4L * values.length) == 0) {
      keys.put("heads", (int) (dim / (4L * values.length)));
    }
    keys.put("epsilon", 1e-5);
    keys.put("rotary", Kind.DINOV3.key());
    Preprocess imagenet = Preprocess.imagenet(DINOV3_IMAGE, DINOV3_IMAGE);
    return claims(
        keys,
        image ->
            new Preprocess(
                image,
                image,
                Interpolation.BILINEAR,
                CropMode.SQUASH,
                imagenet.mean(),
                imagenet.std()));
  }

  private static ModelClaims openai(ObjectNode keys, TensorContents contents) {
    if (!contents.format().equals(SCRIPT)) {
      throw unknown(
          contents,
          "has names of open_clip, but no open_clip_config.json beside it that says whether it"
              + " computes GELU or QuickGELU");
    }
    keys.put("name", "openai_clip");
    keys.put("epsilon", 1e-5);
    keys.put("activation", "quick_gelu");
    keys.put("projection", true);
    return claims(keys, image -> PretrainedPreprocess.clip(image, image));
  }

  private static ModelClaims flax(ObjectNode keys, WeightPlace place, TensorContents contents) {
    boolean siglip = place.timmNames().contains(POOL);
    boolean bigVision = place.timm().source() == Source.BIG_VISION;
    keys.put("name", siglip ? "siglip" : bigVision ? "flexivit" : "vit");
    for (String name : place.names().values()) {
      long[] shape = name.endsWith("/query/kernel") ? contents.read(name).shape() : new long[0];
      if (shape.length == 3) {
        keys.put("heads", (int) shape[1]);
        break;
      }
    }
    keys.put("epsilon", 1e-6);
    // SigLIP's towers of big_vision compute the tanh form, its plain ViT the exact one.
    keys.put("activation", siglip ? "gelu_tanh" : "gelu");
    return claims(
        keys,
        siglip
            ? image -> Preprocess.half(image, image).withCropMode(CropMode.SQUASH)
            : image ->
                Preprocess.half(PretrainedPreprocess.resize(Size.of(image)), Size.of(image)));
  }

  private static ModelClaims torchvision(ObjectNode keys, Set<String> timm) {
    boolean swin = timm.contains("layers.0.blocks.0.norm1.weight");
    keys.put("name", swin ? "torchvision_swin" : "torchvision_vit");
    keys.put("epsilon", swin ? 1e-5 : 1e-6);
    if (swin) {
      keys.put("image", 224);
    }
    return claims(
        keys,
        image -> {
          int resize = swin ? image * 232 / 224 : image * 256 / 224;
          Preprocess imagenet = Preprocess.imagenet(resize, image);
          Interpolation filter = swin ? Interpolation.BICUBIC : Interpolation.BILINEAR;
          return new Preprocess(resize, image, filter, imagenet.mean(), imagenet.std());
        });
  }
}
