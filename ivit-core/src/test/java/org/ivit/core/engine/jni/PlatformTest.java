package org.ivit.core.engine.jni;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PlatformTest {
  @ParameterizedTest
  @CsvSource({
    "Linux, amd64, linux-x86_64, /native/linux-x86_64/libivit.so",
    "Linux, aarch64, linux-aarch64, /native/linux-aarch64/libivit.so",
    "Linux, riscv64, linux-riscv64, /native/linux-riscv64/libivit.so",
    "Mac OS X, aarch64, darwin-aarch64, /native/darwin-aarch64/libivit.so",
    "Mac OS X, x86_64, darwin-x86_64, /native/darwin-x86_64/libivit.so",
    "Windows 11, amd64, windows-x86_64, /native/windows-x86_64/libivit.dll",
    "Windows Server 2022, amd64, windows-x86_64, /native/windows-x86_64/libivit.dll",
    "Windows 11, aarch64, windows-aarch64, /native/windows-aarch64/libivit.dll",
  })
  void isNamedAsTheBuildNamesIt(String os, String arch, String name, String resource) {
    Platform platform = Platform.of(os, arch);
    assertThat(platform).hasToString(name);
    assertThat(platform.resource(NativeLibrary.NAME)).isEqualTo(resource);
  }
}
