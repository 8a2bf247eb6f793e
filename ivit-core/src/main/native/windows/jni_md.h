/* What jni.h leaves to each platform, for Windows on 64 bits, as the JNI specification has it. */
#ifndef IVIT_WINDOWS_JNI_MD_H
#define IVIT_WINDOWS_JNI_MD_H

#define JNIEXPORT __declspec(dllexport)
#define JNIIMPORT __declspec(dllimport)
#define JNICALL __stdcall

typedef int jint; /* long has 32 bits here, and is another type */
typedef long long jlong;
typedef signed char jbyte;

#endif
