package org.ivit.core.engine.cuda.layer;

import org.ivit.core.cuda.BoxedMatrix;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.Divisor;
import org.ivit.core.cuda.Launch;
import org.ivit.core.cuda.Structure;

/**
 * Products by clusters of two blocks, which stay on two multiprocessors and make one tile of 256
 * rows and 256 columns after the other; sizes are those of {@code linear_cluster.cuh}.
 */
final class ClusterTile {
  private static final int BLOCKS = 2;
  private static final int SIDE = 256;
  private static final int BOX_ROWS = 128;
  private static final int THREADS = 384;
  private static final int STAGES = 4;
  private static final int STAGE_BYTES = 3 * BOX_ROWS * BoxedMatrix.BOX_WIDTH;
  private static final int OUTPUT_BYTES = BOX_ROWS * 2 * BOX_ROWS;
  private static final int GELU_BYTES = 512;
  private static final int BARRIER_BYTES = 2 * STAGES * 8;

  /** Nearly all of a block's on Hopper. */
  private static final int SHARED_BYTES =
      STAGES * STAGE_BYTES + OUTPUT_BYTES + GELU_BYTES + BARRIER_BYTES;

  private ClusterTile() {}

  private static final class ClusterLinearArguments extends Structure {
    private final Field<LinearArguments> linear = structure(new LinearArguments());
    private final Field<Divisor> across = divisor();
    private final Field<Integer> columnTiles = int32();
    private final Field<Integer> tiles = int32();
    private final Field<byte[]> input = tensorMap();
    private final Field<byte[]> weight = tensorMap();
  }

  /**
   * Whether a product has so many tiles that clusters are busy for at least three quarters of their
   * turns: the last turn's may be few. Smaller tiles suit other products.
   */
  static boolean suits(Device device, int rows, int columns) {
    if (!device.tensorMaps()) {
      return false;
    }
    long tiles = tiles(rows, columns);
    long clusters = clusters(device);
    long turns = (tiles + clusters - 1) / clusters;
    return 4 * tiles >= 3 * turns * clusters;
  }

  private static long tiles(int rows, int columns) {
    return (long) across(rows) * across(columns);
  }

  private static int across(int count) {
    return (count + SIDE - 1) / SIDE;
  }

  private static int clusters(Device device) {
    return Math.max(1, device.multiprocessors() / BLOCKS);
  }

  /**
   * A launch of {@code linear_EPILOGUE_cluster}.
   *
   * @param device of the launch
   * @param epilogue what follows the product
   * @param linear what other tiles take
   * @param columns of the output
   * @param input matrix, [rows][depth]
   * @param weight matrix, [columns, padded][depth]
   */
  static Launch launch(
      Device device,
      String epilogue,
      LinearArguments linear,
      int columns,
      BoxedMatrix input,
      BoxedMatrix weight) {
    int columnTiles = across(columns);
    int tiles = Math.toIntExact(tiles((int) input.rows(), columns));
    ClusterLinearArguments a = new ClusterLinearArguments();
    a.linear.set(linear);
    a.across.set(Divisor.of(columnTiles));
    a.columnTiles.set(columnTiles);
    a.tiles.set(tiles);
    a.input.set(encoded(device, input));
    a.weight.set(encoded(device, weight));
    int clusters = Math.min(tiles, clusters(device));
    return new Launch(
        "linear_" + epilogue + "_cluster",
        BLOCKS * clusters,
        1,
        1,
        THREADS,
        SHARED_BYTES,
        a.bytes());
  }

  /** Nothing, where a plan is made before there is memory. */
  private static byte[] encoded(Device device, BoxedMatrix matrix) {
    return matrix.address() == 0 ? new byte[BoxedMatrix.ENCODED_BYTES] : device.encode(matrix);
  }

  /** The matrix of which a product's boxes are copied, rows without gaps. */
  static BoxedMatrix matrix(long address, int rows, int depth) {
    return new BoxedMatrix(address, depth, rows, depth, BOX_ROWS);
  }
}
