package org.ivit.core.pretrained;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import org.ivit.core.InputException;
import org.ivit.core.architecture.PretrainedPreprocess;
import org.ivit.core.image.CropMode;
import org.ivit.core.image.Interpolation;
import org.ivit.core.image.Preprocess;
import org.ivit.core.pretrained.names.TimmNames.Source;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorContents;
import org.ivit.core.tensor.TensorFile;

/** What is known of a release's file of weights, which has no configuration beside it. */
final class ReleaseClaims {
  private static final String SCRIPT = "TorchScript archive";
  private static final String POOL = "attn_pool.latent";

  private ReleaseClaims() {}

  /**
   * @param source who named the tensors
   * @param contents the file
   * @param read its tensors of the model, under the names of the file
   * @param timm the same under timm's names
   * @throws InputException if the names are those of several families that compute otherwise
   */
  static ModelClaims of(Source source, TensorContents contents, TensorFile read, TensorFile timm) {
    ObjectNode keys = JsonNodeFactory.instance.objectNode();
    return switch (source) {
      case DINOV2 -> dinov2(keys, timm);
      case OPEN_CLIP -> openai(keys, contents);
      case AUGREG, BIG_VISION -> flax(keys, source, read, timm);
      case TORCHVISION -> torchvision(keys, timm);
      case HUGGING_FACE, HUGGING_FACE_TOWER ->
          throw unknown(contents, "has names of Hugging Face, but no config.json beside it");
      case TIMM ->
          throw unknown(
              contents,
              "holds float weights and no integer checkpoint, and nothing beside it says of which"
                  + " model");
    };
  }

  private static InputException unknown(TensorContents contents, String what) {
    return new InputException(
        "%s: %s, expected --architecture NAME".formatted(contents.source(), what));
  }

  private static ModelClaims claims(
      ObjectNode keys, GridResampling resampling, IntFunction<Preprocess> preprocess) {
    return new ModelClaims(keys, resampling, preprocess, List.of());
  }

  private static ModelClaims dinov2(ObjectNode keys, TensorFile timm) {
    boolean registers = timm.tensors().containsKey("reg_token");
    keys.put("name", registers ? "dinov2_reg" : "dinov2");
    keys.put("epsilon", 1e-6);
    // At its own size the model sees the whole picture, as in timm; smaller ones are cut as the
    // release does.
    int native518 = 518;
    return claims(
        keys,
        registers ? GridResampling.BICUBIC_ANTIALIAS : GridResampling.BICUBIC_OFFSET,
        image -> Preprocess.imagenet(image >= native518 ? image : 256 * image / 224, image));
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
    return claims(keys, GridResampling.BICUBIC, image -> PretrainedPreprocess.clip(image, image));
  }

  private static ModelClaims flax(
      ObjectNode keys, Source source, TensorFile read, TensorFile timm) {
    boolean siglip = timm.tensors().containsKey(POOL);
    keys.put("name", siglip ? "siglip" : source == Source.BIG_VISION ? "flexivit" : "vit");
    for (Map.Entry<String, Tensor> tensor : read.tensors().entrySet()) {
      long[] shape = tensor.getValue().shape();
      if (tensor.getKey().endsWith("/query/kernel") && shape.length == 3) {
        keys.put("heads", (int) shape[1]);
      }
    }
    keys.put("epsilon", 1e-6);
    // SigLIP's towers of big_vision compute the tanh form, its plain ViT the exact one.
    keys.put("activation", siglip ? "gelu_tanh" : "gelu");
    return claims(
        keys,
        source == Source.BIG_VISION ? GridResampling.BILINEAR : GridResampling.BICUBIC_ANTIALIAS,
        siglip
            ? image -> Preprocess.half(image, image).withCropMode(CropMode.SQUASH)
            : image -> Preprocess.half(PretrainedPreprocess.resize(image), image));
  }

  private static ModelClaims torchvision(ObjectNode keys, TensorFile timm) {
    boolean swin = timm.tensors().containsKey("layers.0.blocks.0.norm1.weight");
    keys.put("name", swin ? "torchvision_swin" : "torchvision_vit");
    keys.put("epsilon", swin ? 1e-5 : 1e-6);
    if (swin) {
      keys.put("image", 224);
    }
    return claims(
        keys,
        GridResampling.BICUBIC_ANTIALIAS,
        image -> {
          int resize = swin ? image * 232 / 224 : image * 256 / 224;
          Preprocess imagenet = Preprocess.imagenet(resize, image);
          Interpolation filter = swin ? Interpolation.BICUBIC : Interpolation.BILINEAR;
          return new Preprocess(resize, image, filter, imagenet.mean(), imagenet.std());
        });
  }
}
