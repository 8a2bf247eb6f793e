package org.ivit.core.engine.cuda.layer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Block;
import org.ivit.core.cuda.EmulatedDevice;
import org.ivit.core.family.Vit;
import org.ivit.core.testing.InlineDescription;
import org.junit.jupiter.api.Test;

/** How launches of attention lie on GPUs of different sizes. */
class AttentionShapeTest {
  private static final int H100 = 227 * 1024;
  private static final int A100 = 163 * 1024;
  private static final int L4 = 99 * 1024;
  private static final int T4 = 64 * 1024;

  /** 197 tokens, 3 heads of 64 channels. */
  private static AttentionGrid tiny() {
    Architecture vit = new Vit("tiny", 224, 16, 192, 1, 3, 8, 1, 1e-6).architecture();
    return new AttentionGrid(vit.blocks().get(0));
  }

  private static AttentionShape shape(int multiprocessors, int sharedBytes, int pictures) {
    return tiny().shape(new EmulatedDevice(multiprocessors, sharedBytes), pictures, 197);
  }

  @Test
  void giveEachWarpItsQueriesWherePicturesAreMany() {
    assertThat(shape(132, H100, 128)).isEqualTo(new AttentionShape(1, 7, false, 197, 3, 90_240));
    assertThat(shape(108, A100, 128)).isEqualTo(new AttentionShape(1, 7, false, 197, 2, 73_792));
    assertThat(shape(58, L4, 128)).isEqualTo(new AttentionShape(1, 7, false, 197, 3, 90_240));
    assertThat(shape(40, T4, 128)).isEqualTo(new AttentionShape(1, 7, false, 197, 0, 61_456));
  }

  @Test
  void splitTheKeysWhereOnePictureLeavesMultiprocessorsIdle() {
    assertThat(shape(132, H100, 1)).isEqualTo(new AttentionShape(13, 7, true, 197, 3, 98_304));
    assertThat(shape(58, L4, 1)).isEqualTo(new AttentionShape(13, 7, true, 197, 3, 98_304));
    assertThat(shape(40, T4, 1)).isEqualTo(new AttentionShape(13, 6, true, 197, 0, 65_296));
  }

  /** The class token alone. */
  @Test
  void splitTheKeysOfFewQueriesOfManyPictures() {
    AttentionShape shape = tiny().shape(new EmulatedDevice(132, H100), 128, 1);
    assertThat(shape.together()).isTrue();
    assertThat(shape.warps()).isEqualTo(7);
    assertThat(shape.shares()).isEqualTo(1);
  }

  @Test
  void keepFourWarpsABlockWherePicturesAreFew() {
    assertThat(shape(132, H100, 7)).isEqualTo(new AttentionShape(3, 5, false, 197, 3, 83_072));
  }

  @Test
  void coverEveryQueryWithinTheMemoryOfTheDevice() {
    Random random = new Random(5);
    for (int i = 0; i < 500; i++) {
      int patches = 1 + random.nextInt(700);
      int heads = 1 + random.nextInt(4);
      int dim = heads * (1 + random.nextInt(100));
      Block site =
          InlineDescription.parse(
                  "'kind':'vit','patch':1,'depth':1,'hidden':9,'classes':0",
                  "'image':[1,%d],'dim':%d,'heads':%d".formatted(patches, dim, heads),
                  "'pool':'avg'")
              .blocks()
              .get(0);
      int[] memories = {48 * 1024, T4, L4, H100};
      EmulatedDevice device =
          new EmulatedDevice(1 + random.nextInt(200), memories[random.nextInt(4)]);
      AttentionGrid grid = new AttentionGrid(site);
      grid.check(device);
      int queries = random.nextBoolean() ? site.rowTokens() : 1;
      AttentionShape shape = grid.shape(device, 1 + random.nextInt(20), queries);
      int tiles = (queries + 15) / 16;
      String what = site + " " + shape;
      assertThat(shape.sharedBytes()).as(what).isBetween(1, device.sharedBytes());
      assertThat(shape.warps()).as(what).isBetween(1, 7);
      if (shape.together()) {
        assertThat(shape.shares()).as(what).isEqualTo(tiles);
        assertThat(shape.warps()).as(what).isGreaterThanOrEqualTo(4);
      } else {
        assertThat((shape.shares() - 1) * shape.warps()).as(what).isLessThan(tiles);
      }
    }
  }
}
