package org.ivit.core.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import org.ivit.core.InputException;
import org.ivit.core.tensor.Pickled.Opaque;
import org.ivit.core.tensor.Pickled.Storage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Pickles that would do harm if anything of them were executed, and pickles that are broken. */
class UnpicklerTest {
  private static Object read(PickleBuilder pickle) {
    return new Unpickler("evil.pth", ByteBuffer.wrap(pickle.bytes())).read();
  }

  private static void refused(PickleBuilder pickle, String... texts) {
    assertThatThrownBy(() -> read(pickle))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("evil.pth: ")
        .hasMessageContainingAll(texts)
        .hasMessageNotContaining("\n");
  }

  @ParameterizedTest
  @CsvSource({
    "os,system",
    "posix,system",
    "nt,system",
    "builtins,eval",
    "builtins,exec",
    "builtins,getattr",
    "builtins,__import__",
    "subprocess,Popen",
    "torch.jit,load",
    "torch,load",
    "torch.serialization,load",
    "numpy,load",
    "numpy.testing._private.utils,runstring",
    "builtins,setattr",
    "builtins,open",
    "builtins,eval.__call__",
    "__builtin__,compile",
    "shutil,rmtree",
    "socket,create_connection",
    "runpy,_run_code",
    "ctypes,CDLL",
    "pickle,loads",
    "types,FunctionType",
    "operator,methodcaller",
    "functools,reduce",
    "importlib,import_module",
    "torch,os.system",
    "webbrowser,open",
    "asyncio.unix_events,_UnixSubprocessTransport._start"
  })
  void aGlobalThatIsNotAllowedIsNamed(String module, String name) {
    String full = module + "." + name;
    refused(
        new PickleBuilder().op(0x80, 2).global(module, name).text("echo").op(0x85, 'R', '.'), full);
    refused(new PickleBuilder().op(0x80, 4).text(module).text(name).op(0x93, '.'), full);
    refused(
        new PickleBuilder().op('(').text("x").op('i').raw(module + "\n" + name + "\n").op('.'),
        full);
  }

  @Test
  void extensionsAndOtherPersistentIdsAreRefused() {
    refused(new PickleBuilder().op(0x82, 1, '.'), "opcode 0x82");
    refused(new PickleBuilder().op('P').raw("key\n."), "opcode 0x50");
    refused(new PickleBuilder().text("key").op('Q', '.'), "persistent id");
    refused(new PickleBuilder().text("x").op(')', 'R', '.'), "calls what is no name");
    refused(
        new PickleBuilder().global("torch", "FloatStorage").op(')', 'R', '.'),
        "calls torch.FloatStorage");
  }

  /** Names that no list here has are data, whatever they would do; nothing looks them up. */
  @ParameterizedTest
  @CsvSource({
    "argparse,Namespace",
    "builtins,set",
    "builtins,frozenset",
    "builtins,bytearray",
    "builtins,complex",
    "builtins,range",
    "builtins,slice",
    "collections,Counter",
    "datetime,datetime",
    "functools,partial",
    "numpy.core.multiarray,_reconstruct",
    "numpy.core.multiarray,scalar",
    "omegaconf.dictconfig,DictConfig",
    "pytorch_lightning.utilities.parsing,AttributeDict",
    "timm.models.vision_transformer,VisionTransformer",
    "torch._utils,_rebuild_qtensor",
    "torch._utils,_rebuild_sparse_tensor",
    "torch.optim.lr_scheduler,CosineAnnealingLR",
    "types,SimpleNamespace",
    "yacs.config,CfgNode",
    "somebody.config.loader,Settings"
  })
  void foreignObjectsAreData(String module, String name) {
    Object called =
        read(new PickleBuilder().op(0x80, 2).global(module, name).text("x").op(0x85, 'R', '.'));
    assertThat(called)
        .isInstanceOfSatisfying(
            Opaque.class, o -> assertThat(o.type()).isEqualTo(module + "." + name));
    Object made =
        read(
            new PickleBuilder()
                .op(0x80, 4)
                .text(module)
                .text(name)
                .op(0x93, ')', '}', 0x92)
                .text("key")
                .text("value")
                .op('s', 'N', 'a', '}', 'b', '.'));
    assertThat(made)
        .isInstanceOfSatisfying(
            Opaque.class,
            o -> {
              assertThat(o.items()).isEqualTo(Map.of("key", "value"));
              assertThat(o.elements()).hasSize(1).containsNull();
              assertThat(o.state()).isEqualTo(Map.of());
            });
    Object old = read(new PickleBuilder().op('(').global(module, name).op('N', 'o', '.'));
    assertThat(old).isInstanceOf(Opaque.class);
    Object oldest =
        read(new PickleBuilder().op('(', 'N', 'i').raw(module + "\n" + name + "\n").op('.'));
    assertThat(oldest).isInstanceOf(Opaque.class);
  }

  @Test
  void whatAForeignObjectIsCalledWithIsForeignToo() {
    Object read =
        read(
            new PickleBuilder()
                .global("a", "maker")
                .op(')', 'R', ')', 'R')
                .op(0x85, '0', 'N', '.'));
    assertThat(read).isNull();
    refused(new PickleBuilder().op('(', 'o', '.'), "no class");
    refused(new PickleBuilder().op('(', 'N', 'o', '.'), "calls what is no name");
  }

  /** A parameter with an attribute of its own, and one whose class could change what it is. */
  @Test
  void tensorsWithAttributesAreRead() {
    for (String type : new String[] {"torch.nn.parameter.Parameter", "somebody.Tensor"}) {
      int dot = type.lastIndexOf('.');
      PickleBuilder pickle =
          new PickleBuilder()
              .global("torch._tensor", "_rebuild_from_type_v2")
              .op('(')
              .global("torch._utils", "_rebuild_tensor_v2")
              .global(type.substring(0, dot), type.substring(dot + 1));
      Object read =
          read(
              storage(pickle.op('('), null)
                  .op('K', 0, 'K', 10, 0x85, 'K', 1, 0x85, 0x89, 'N', 't', '}', 't', 'R', '.'));
      assertThat(read instanceof Pickled.View).as(type).isEqualTo(type.startsWith("torch"));
    }
  }

  @Test
  void namespacesAreOpaque() {
    PickleBuilder pickle =
        new PickleBuilder()
            .op(0x80, 2)
            .global("argparse", "Namespace")
            .op(')', 0x81, '}')
            .text("lr")
            .op('N', 's', 'b', '.');
    assertThat(read(pickle)).isInstanceOf(Pickled.Opaque.class);
  }

  @Test
  void whatContainsItselfIsReadAndNotWalked() {
    Object list = read(new PickleBuilder().op(']', 'q', 0, 'h', 0, 'a', '.'));
    assertThat(((List<?>) list).get(0)).isSameAs(list);
    Object map = read(new PickleBuilder().op('}', 'q', 0).text("me").op('h', 0, 's', '.'));
    assertThat(((Map<?, ?>) map).get("me")).isSameAs(map);
    Object keyed = read(new PickleBuilder().op('}', 'q', 0, 'h', 0, 'h', 0, 's', '.'));
    assertThat((Map<?, ?>) keyed).hasSize(1);
  }

  @Test
  void nestingCostsNoDepth() {
    PickleBuilder deep = new PickleBuilder();
    for (int i = 0; i < 500_000; i++) {
      deep.op(']');
    }
    for (int i = 1; i < 500_000; i++) {
      deep.op('a');
    }
    assertThat(read(deep.op('.'))).isInstanceOf(List.class);
  }

  /** Each level names the one before it ten times: 10^60 leaves, were they copied. */
  @Test
  void aBombOfReferencesStaysSmall() {
    PickleBuilder bomb = new PickleBuilder().op(']', 'q', 0);
    for (int level = 1; level <= 60; level++) {
      bomb.op(']', '(');
      for (int i = 0; i < 10; i++) {
        bomb.op('h', level - 1);
      }
      bomb.op('e', 'q', level);
    }
    assertThat(read(bomb.op('.'))).isInstanceOf(List.class);
  }

  @Test
  void aListThatIsCopiedAgainAndAgainIsRefused() {
    PickleBuilder bomb = new PickleBuilder().number(1).op('N', 0x86, 'q', 0, '0', ']', '(');
    for (int i = 0; i < 100_000; i++) {
      bomb.op('h', 0);
    }
    bomb.op('e', 'q', 1, '0');
    for (int i = 0; i < 100_000; i++) {
      bomb.global("collections", "OrderedDict").op('h', 1, 0x85, 'R', '0');
    }
    refused(bomb.op('N', '.'), "OrderedDicts");
  }

  @Test
  void aSizeOfManyNumbersIsRefusedBeforeItIsCopied() {
    PickleBuilder bomb = storage(null).op('(');
    for (int i = 0; i < 65; i++) {
      bomb.op('K', 1);
    }
    bomb.op('t', 'q', 1, '0', '0');
    refused(
        bomb.global("torch._utils", "_rebuild_tensor")
            .op('(', 'h', 0, 'K', 0, 'h', 1, 'h', 1, 't', 'R', '.'),
        "size or stride of 65 numbers");
  }

  /** Files of before PyTorch 0.4 share a storage by views of it. */
  @Test
  void aViewOfAStorageHasTheViewsLength() {
    Object read = read(storage(new int[] {3, 4}).op('.'));
    assertThat(read).isEqualTo(new Storage("torch.FloatStorage", DType.F32, 4, "7", 4, 3));
    assertThat(read(storage(null).op('.')))
        .isEqualTo(new Storage("torch.FloatStorage", DType.F32, 4, "7", 10, 0));
  }

  /** A storage of 10 floats under key 7, kept as memo 0; with a view, its begin and length. */
  private static PickleBuilder storage(int[] view) {
    return storage(new PickleBuilder(), view);
  }

  private static PickleBuilder storage(PickleBuilder pickle, int[] view) {
    pickle
        .op('(')
        .text("storage")
        .global("torch", "FloatStorage")
        .text("7")
        .text("cpu")
        .op('K', 10);
    if (view == null) {
      pickle.op('N');
    } else {
      pickle.text("8").op('K', view[0], 'K', view[1], 0x87);
    }
    return pickle.op('t', 'Q', 'q', 0);
  }

  @Test
  void anEndlessPickleIsRefused() {
    byte[] marks = new byte[2_000_001];
    java.util.Arrays.fill(marks, (byte) ')');
    assertThatThrownBy(() -> new Unpickler("evil.pth", ByteBuffer.wrap(marks)).read())
        .isInstanceOf(InputException.class)
        .hasMessageContaining("more than 2000000 opcodes");
  }

  @Test
  void lengthsBeyondTheEndAreRefusedBeforeAnythingIsAllocated() {
    refused(new PickleBuilder().op('X', 0xff, 0xff, 0xff, 0xff), "needs 4294967295 bytes");
    refused(new PickleBuilder().op('B', 0xff, 0xff, 0xff, 0x7f), "needs 2147483647 bytes");
    refused(
        new PickleBuilder().op(0x8e, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
        "needs 18446744073709551615 bytes");
    refused(new PickleBuilder().op(0x8b, 0xff, 0xff, 0xff, 0x7f), "truncated");
  }

  @Test
  void theStackIsChecked() {
    refused(new PickleBuilder().op('.'), "empty stack");
    refused(new PickleBuilder().op('t', '.'), "no mark");
    refused(new PickleBuilder().op('N', 0x86, '.'), "empty stack");
    refused(new PickleBuilder().op('h', 7, '.'), "recalls memo 7");
    refused(new PickleBuilder().op('N', 'N', 'a', '.'), "no list");
    refused(new PickleBuilder().op('}', '(', 'N', 'u', '.'), "key without a value");
    refused(new PickleBuilder().op('N', '(', 'N', 'N', 'u', '.'), "no map");
    refused(new PickleBuilder().op(0x80, 6), "protocol 6");
    refused(new PickleBuilder(), "needs 1 bytes at its byte 0");
  }
}
