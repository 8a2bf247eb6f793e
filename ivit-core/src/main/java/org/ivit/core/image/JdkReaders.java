package org.ivit.core.image;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Iterator;
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
