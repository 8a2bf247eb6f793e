@echo off
rem Runs IVIT from a source tree: builds it where it is not built yet, then starts Java directly. JVM
rem options come from IVIT_JAVA_OPTS. After a change of the sources run: mvn -DskipTests package
rem Delayed expansion would take the exclamation marks out of folders and arguments.
setlocal disabledelayedexpansion
set "root=%~dp0.."
set "java="
if defined JAVA_HOME set "java=%JAVA_HOME:"=%\bin\java.exe"
if not exist "%java%" set "java=java"
if "%java%"=="java" (
  where java >nul 2>&1
  if errorlevel 1 (
    echo ivit: java is missing: install a JDK, 17 or newer, or set JAVA_HOME>&2
    exit /b 1
  )
)
call :class_path
if not defined CLASSPATH (
  where mvn >nul 2>&1
  if errorlevel 1 (
    echo ivit: mvn is missing: install Apache Maven, 3.8 or newer, to build>&2
    exit /b 1
  )
  echo ivit: building ^(once; minutes the first time^)>&2
  pushd "%root%"
  call mvn -q -B -ntp -Dstyle.color=never -DskipTests -Dspotless.check.skip=true package 1>&2
  if errorlevel 1 (
    popd
    echo ivit: the build failed; its messages are above>&2
    exit /b 1
  )
  popd
  call :class_path
)
if not defined CLASSPATH (
  echo ivit: the build made no jars, or no list of its libraries: see ivit-export\target>&2
  exit /b 1
)
"%java%" -XX:+IgnoreUnrecognizedVMOptions -XX:+UseSerialGC -Xms16m -XX:MaxRAMPercentage=60 --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow -Divit.terminal=true %IVIT_JAVA_OPTS% org.ivit.export.cli.Main %*
exit /b %errorlevel%

rem Sets CLASSPATH to the jars of this checkout, wherever it lies now, and the libraries that Maven found,
rem listed in UTF-8; to nothing where one is missing. Java takes it of the environment, because a command
rem line is too short and an argument file has another encoding.
:class_path
set "CLASSPATH="
set "dependencies="
call :jar core
call :jar train
call :jar export
call :jar serve
set "list=%root%\ivit-export\target\dependencies"
if defined serve set "list=%root%\ivit-serve\target\dependencies"
for /f "tokens=2 delims=:." %%c in ('chcp') do set "page=%%c"
chcp 65001 >nul
if exist "%list%" for /f "usebackq delims=" %%d in ("%list%") do set "dependencies=%%d"
chcp %page% >nul
if defined core if defined train if defined export if defined dependencies set "CLASSPATH=%export%;%train%;%core%;%dependencies%"
if defined CLASSPATH if defined serve set "CLASSPATH=%serve%;%CLASSPATH%"
exit /b 0

rem jar MODULE: sets MODULE to its jar, or to nothing.
:jar
set "%1="
if not exist "%root%\ivit-%1\target" exit /b 0
pushd "%root%\ivit-%1\target"
for %%j in (ivit-%1-*.jar) do (
  set "name=%%~nj"
  set "file=%%~fj"
  call :unless_other %1
)
popd
exit /b 0

rem unless_other MODULE: the same to `file`, unless that holds other things than the module's classes.
:unless_other
if not "%name:-tests=%"=="%name%" exit /b 0
if not "%name:-sources=%"=="%name%" exit /b 0
if not "%name:-javadoc=%"=="%name%" exit /b 0
set "%1=%file%"
exit /b 0
