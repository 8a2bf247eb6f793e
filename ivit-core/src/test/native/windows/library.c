/*
 * Loads a library as a JVM does, with nothing but the system beside it, finds its native methods and
 * calls the one that says which kernels run: library DLL CLASS METHOD..., the class with _ for dots.
 */
#include <jni.h>
#include <stdio.h>
#include <string.h>
#include <windows.h>

static const char *JNICALL text(JNIEnv *env, jstring string, jboolean *copy) {
  (void)env;
  (void)copy;
  return (const char *)string;
}

static void JNICALL release(JNIEnv *env, jstring string, const char *characters) {
  (void)env;
  (void)string;
  (void)characters;
}

static jstring JNICALL string(JNIEnv *env, const char *characters) {
  (void)env;
  return (jstring)characters;
}

/* What these methods call of a JVM; a string is its characters. */
static const struct JNINativeInterface_ functions = {
    .GetStringUTFChars = text, .ReleaseStringUTFChars = release, .NewStringUTF = string};
static JNIEnv environment = &functions;

typedef jstring JNICALL unavailable_method(JNIEnv *env, jclass class, jstring name);
typedef jboolean JNICALL select_method(JNIEnv *env, jclass class, jstring name);

static void ask(const char *method, FARPROC found) {
  const char *sets[] = {"amx", "vnni", "avxvnni", "avx512", "avx2", "c"};
  void (*address)(void) = (void (*)(void))found;
  for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
    const char *answer = NULL;
    if (strcmp(method, "unavailable") == 0) {
      jstring reason = ((unavailable_method *)address)(&environment, NULL, (jstring)sets[i]);
      answer = reason == NULL ? "runs" : (const char *)reason;
    } else if (strcmp(method, "select") == 0) {
      jboolean runs = ((select_method *)address)(&environment, NULL, (jstring)sets[i]);
      answer = runs ? "runs" : "does not run";
    }
    if (answer != NULL) {
      printf("  %s: %s\n", sets[i], answer);
    }
  }
}

int main(int count, char **words) {
  HMODULE library = count < 3 ? NULL : LoadLibraryA(words[1]);
  if (library == NULL) {
    printf("%s does not load: error %lu\n", count < 2 ? "nothing" : words[1], GetLastError());
    return 1;
  }
  for (int i = 3; i < count; i++) {
    char name[256];
    snprintf(name, sizeof name, "Java_%s_%s", words[2], words[i]);
    FARPROC found = GetProcAddress(library, name);
    if (found == NULL) {
      printf("no %s in %s\n", name, words[1]);
      return 1;
    }
    ask(words[i], found);
  }
  printf("%d methods of %s\n", count - 3, words[2]);
  return 0;
}
