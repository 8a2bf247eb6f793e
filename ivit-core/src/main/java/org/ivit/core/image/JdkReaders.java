package org.ivit.core.image;

import java.awt.image.BufferedImage;
import java.awt.image.DataBufferByte;
import java.awt.image.IndexColorModel;
import java.awt.image.PixelInterleavedSampleModel;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.Iterator;
import java.util.stream.IntStream;
import javax.imageio.ImageReader;
import javax.imageio.spi.IIORegistry;
import javax.imageio.spi.ImageReaderSpi;
import javax.imageio.stream.MemoryCacheImageInputStream;

/** Finds the JDK's own image readers, whatever plug-ins the class path holds, and plug-ins. */
final class JdkReaders {
  private static final String JDK_PACKAGE = "com.sun.imageio.plugins.";

  private JdkReaders() {}

  static ImageReader reader(String format) throws IOException {
    Iterator<ImageReaderSpi> providers =
        IIORegistry.getDefaultInstance().getServiceProviders(ImageReaderSpi.class, true);
    while (providers.hasNext()) {
      ImageReaderSpi provider = providers.next();
      if (provider.getClass().getName().startsWith(JDK_PACKAGE + format + ".")) {
        return provider.createReaderInstance();
      }
    }
    throw new IllegalStateException("this Java runtime has no " + format + " reader");
  }

  /** The reader of a plug-in that needs others, which it finds when it is registered. */
  static ImageReader plugin(ImageReaderSpi provider) throws IOException {
    IIORegistry registry = IIORegistry.getDefaultInstance();
    ImageReaderSpi registered = registry.getServiceProviderByClass(provider.getClass());
    if (registered == null) {
      registry.registerServiceProvider(provider);
      registered = provider;
    }
    return registered.createReaderInstance();
  }

  /**
   * The samples of a raster of bytes, [height][width][bands]: its own array where it has no more.
   */
  static byte[] samples(Raster raster) {
    int bands = raster.getNumBands();
    int width = raster.getWidth();
    if (raster.getDataBuffer() instanceof DataBufferByte buffer
        && buffer.getNumBanks() == 1
        && buffer.getData().length == raster.getHeight() * width * bands
        && raster.getSampleModel() instanceof PixelInterleavedSampleModel model
        && model.getPixelStride() == bands
        && model.getScanlineStride() == width * bands
        && Arrays.equals(model.getBandOffsets(), IntStream.range(0, bands).toArray())) {
      return buffer.getData();
    }
    return (byte[]) raster.getDataElements(0, 0, width, raster.getHeight(), null);
  }

  /** The stored samples, looked up in the palette or widened to 8 bits as Pillow does it. */
  static Rgb rgb(BufferedImage picture) {
    int width = picture.getWidth();
    int height = picture.getHeight();
    Raster raster = picture.getRaster();
    int bands = raster.getNumBands();
    byte[][] values = values(picture);
    byte[] out = new byte[3 * width * height];
    int[] row = new int[width * bands];
    for (int y = 0; y < height; y++) {
      raster.getPixels(0, y, width, 1, row);
      for (int x = 0; x < width; x++) {
        for (int c = 0; c < 3; c++) {
          out[(y * width + x) * 3 + c] = values[c][row[x * bands + (bands == 1 ? 0 : c)]];
        }
      }
    }
    return new Rgb(width, height, out);
  }

  /** For each channel the byte of each stored sample. */
  private static byte[][] values(BufferedImage picture) {
    byte[][] values = new byte[3][256];
    if (picture.getColorModel() instanceof IndexColorModel palette) {
      palette.getReds(values[0]);
      palette.getGreens(values[1]);
      palette.getBlues(values[2]);
      return values;
    }
    for (int c = 0; c < 3; c++) {
      int band = Math.min(c, picture.getRaster().getNumBands() - 1);
      int largest = (1 << picture.getSampleModel().getSampleSize(band)) - 1;
      for (int i = 0; i <= largest; i++) {
        values[c][i] = (byte) (i * 255 / largest);
      }
    }
    return values;
  }

  /**
   * Bytes in memory as an image stream that remembers whether a reader wanted more than there is.
   */
  static final class Input extends MemoryCacheImageInputStream {
    private boolean exhausted;

    Input(byte[] bytes) {
      super(new ByteArrayInputStream(bytes));
    }

    boolean exhausted() {
      return exhausted;
    }

    @Override
    public int read() throws IOException {
      int value = super.read();
      exhausted |= value < 0;
      return value;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      int count = super.read(buffer, offset, length);
      exhausted |= count < 0 && length > 0;
      return count;
    }
  }
}
