{
  "variables": {
    # Link-time optimisation: scripts/prebuild.js switches it on, a build in a clone does not.
    "rln_lto%": "false",
    # x86-64-v2 (every x86 server since 2009), spelled out because compilers of 2020 do not
    # know that name.  Wider instructions are chosen at run time.
    "rln_x64_flags%": [ "-msse3", "-mssse3", "-msse4.1", "-msse4.2", "-mpopcnt", "-mcx16", "-msahf" ],
    "rln_warnings": [ "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion" ]
  },
  "targets": [
    {
      # Lua as the package lua-src has it but for what native/lua changes, for native/script.  The
      # compatibility switches are its own, for scripts written for Lua 5.1.
      "target_name": "rln_lua",
      "type": "static_library",
      "sources": [ "<!@(node scripts/sources.js lua)" ],
      "defines": [ "LUA_COMPAT_5_1", "LUA_COMPAT_5_2", "LUA_COMPAT_FLOATSTRING", "LUA_USE_POSIX", "LUAI_HASHLIMIT=31" ],
      "include_dirs": [ "native", "<!(node scripts/sources.js lua-dir)" ],
      "cflags": [ "-O3", "-w", "-fPIC", "-fvisibility=hidden", "-fno-strict-aliasing" ],
      "cflags!": [ "-Wall", "-Wextra", "-Wno-unused-parameter" ],
      "xcode_settings": {
        "MACOSX_DEPLOYMENT_TARGET": "11.0",
        "GCC_OPTIMIZATION_LEVEL": "3",
        "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
        "WARNING_CFLAGS": [ "-w" ]
      },
      "conditions": [
        [ "OS=='linux' and target_arch=='x64'", { "cflags": [ "<@(rln_x64_flags)" ] } ],
        [ "OS=='linux' and rln_lto=='true'", { "cflags": [ "-flto=auto", "-ffat-lto-objects" ] } ],
        [ "OS=='mac' and rln_lto=='true'", { "xcode_settings": { "LLVM_LTO": "YES" } } ]
      ],
      "direct_dependent_settings": {
        "include_dirs": [ "<!(node scripts/sources.js lua-dir)" ],
        "defines": [ "LUA_COMPAT_5_1", "LUA_COMPAT_5_2", "LUA_COMPAT_FLOATSTRING" ]
      }
    },
    {
      "target_name": "redis_lite_native",
      "dependencies": [ "rln_lua" ],
      "sources": [
        "<!@(node scripts/sources.js core)",
        "<!@(node scripts/sources.js binding)"
      ],
      "include_dirs": [
        "native",
        "native/include",
        "<!(node -p \"require('node-addon-api').include_dir\")"
      ],
      "defines": [
        "NAPI_VERSION=9",
        "NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS",
        "NDEBUG",
        "RLN_VERSION=\"<!(node -p \"require('./package.json').version\")\""
      ],
      "conditions": [
        [ "OS=='linux'", {
          "defines": [ "_GNU_SOURCE" ],
          "cflags": [ "-O3", "-g", "-pthread", "-fvisibility=hidden", "-fno-strict-aliasing", "-fno-semantic-interposition" ],
          "cflags!": [ "-Wno-unused-parameter" ],
          "cflags_c": [ "-std=c11", "<@(rln_warnings)" ],
          "cflags_cc": [ "-Wall", "-Wextra", "-Wno-unused-parameter", "-fvisibility-inlines-hidden" ],
          "ldflags!": [ "-rdynamic" ],
          "ldflags": [ "-pthread", "-Wl,-z,now", "-Wl,-z,relro", "-Wl,--exclude-libs,ALL" ],
          "libraries": [ "-lm", "-ldl" ],
          "conditions": [
            [ "target_arch=='x64'", { "cflags": [ "<@(rln_x64_flags)" ] } ],
            [ "rln_lto=='true'", {
              "cflags": [ "-flto=auto", "-ffat-lto-objects" ],
              "ldflags": [ "-flto=auto", "-O3" ]
            } ]
          ]
        } ],
        # On macOS gyp passes on nothing but xcode_settings.
        [ "OS=='mac'", {
          "defines": [ "_DARWIN_C_SOURCE" ],
          "xcode_settings": {
            "MACOSX_DEPLOYMENT_TARGET": "11.0",
            "GCC_OPTIMIZATION_LEVEL": "3",
            "GCC_C_LANGUAGE_STANDARD": "c11",
            "CLANG_CXX_LANGUAGE_STANDARD": "gnu++17",
            "CLANG_CXX_LIBRARY": "libc++",
            "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
            "GCC_INLINES_ARE_PRIVATE_EXTERN": "YES",
            "WARNING_CFLAGS": [ "-Wall", "-Wextra", "-Wno-unused-parameter" ]
          },
          "conditions": [
            [ "target_arch=='x64'", { "xcode_settings": { "OTHER_CFLAGS": [ "<@(rln_x64_flags)" ] } } ],
            [ "rln_lto=='true'", { "xcode_settings": { "LLVM_LTO": "YES" } } ]
          ]
        } ]
      ]
    }
  ]
}
