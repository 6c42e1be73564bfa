# Every test, fuzz target and benchmark of the project; included by the top CMakeLists.txt, whose paths these are.

# Children of one thread each, and worlds without any: TSan makes them twenty times as slow and has little to look at,
# ASan five times.
if(FB_SANITIZE STREQUAL "thread")
  set(few_mutations 50)
  set(few_worlds 1 100)
  set(few_courses 1 50)
  set(few_credits 1 5)
elseif(FB_SANITIZE STREQUAL "address")
  set(few_courses 1 300)
  set(few_credits 1 30)
endif()

fb_test(core)
fb_test(json)
fb_test(conf       DEPS json)
fb_test(metric)
fb_test(codec)
fb_test(event      DEPS os json)
fb_test(os)
fb_test(net        DEPS os)
fb_test(store      DEPS os)
fb_test(crypto     DEPS os)
fb_test(rpc        DEPS os)
fb_test(writer     DEPS os)
fb_test(journal    DEPS crypto)
fb_test(audit      DEPS crypto os writer)
fb_test(backup     DEPS os store writer)
fb_test(report     DEPS codec os)
fb_test(proof      DEPS crypto)
fb_test(books)
set(books_world tests/worlds/world.c tests/worlds/clients.c tests/worlds/disk.c tests/worlds/compare.c
  tests/worlds/model.c)
fb_test(network    DEPS os)
fb_test(wire)
fb_test(http       DEPS os)
fb_test(x402       DEPS os)
fb_test(envelope   DEPS os)
fb_test(auth       DEPS os)
fb_test(identity   DEPS crypto)
target_include_directories(test_identity PRIVATE api/identity)
fb_test(settlements DEPS os sim)
fb_test(escrow)
target_include_directories(test_escrow PRIVATE contracts-abi)
fb_test(siwe       DEPS crypto)
fb_test(token)
target_include_directories(test_token PRIVATE contracts-abi)
fb_test(logs       DEPS crypto)
fb_test(credit)
fb_test(verify     DEPS token)
fb_test(client     DEPS codec verify)
fb_test(settle     DEPS rig)
target_include_directories(test_settle PRIVATE facilitator/settle)
fb_test(view       DEPS os sim wire)
fb_test(head       DEPS os sim wire)
target_include_directories(test_head PRIVATE chain/head)
fb_test(lane       DEPS os sim wire writer)
target_include_directories(test_lane PRIVATE chain/lane)
# The engine through random faults and restarts: sim_settle FIRST_SEED COUNT.
# In virtual time: what tests/virtual defines is taken in place of the libraries' own.
add_executable(sim_settle tests/chaos/settle.c tests/chaos/course.c tests/chaos/audit.c
  tests/virtual/world.c tests/virtual/net.c tests/virtual/disk.c tests/virtual/rig.c)
target_compile_options(sim_settle PRIVATE ${FB_WARNINGS})
target_include_directories(sim_settle PRIVATE tests/unit tests/virtual tests/rig tests/sim)
target_link_libraries(sim_settle PRIVATE fb_rig fb_os fb_writer)
add_test(NAME sim.settle COMMAND sim_settle ${few_courses})
set_tests_properties(sim.settle PROPERTIES LABELS sim TIMEOUT 900)
# Settlement, killed at random moments.
add_executable(test_settle_kill tests/crash/test_settle_kill.c)
target_compile_options(test_settle_kill PRIVATE ${FB_WARNINGS})
target_include_directories(test_settle_kill PRIVATE tests/unit)
target_link_libraries(test_settle_kill PRIVATE fb_rig)
add_test(NAME crash.settle COMMAND test_settle_kill)
set_tests_properties(crash.settle PROPERTIES LABELS crash TIMEOUT 600)

fb_fuzz(conf        DEPS conf)
fb_fuzz(json          DEPS json)
fb_fuzz(base64        DEPS core)
fb_fuzz(wire_request  DEPS wire)
fb_fuzz(wire_header   DEPS wire)
fb_fuzz(wire_required DEPS wire)

fb_fuzz(hex           DEPS codec)
fb_fuzz(u256          DEPS codec)
fb_fuzz(rlp           DEPS codec)
fb_fuzz(abi           DEPS codec)
fb_fuzz(keystore      DEPS crypto)
fb_fuzz(rpc_reply     DEPS rpc)
fb_fuzz(network_file  DEPS network)
fb_fuzz(http_target   DEPS http)
fb_fuzz(batch         DEPS journal crypto)
fb_fuzz(books_ops     DEPS books)
target_sources(fuzz_books_ops PRIVATE ${books_world})
fb_fuzz(settle_record DEPS settle)
target_include_directories(fuzz_settle_record PRIVATE facilitator/settle)
fb_fuzz(lane_row      DEPS lane)
target_include_directories(fuzz_lane_row PRIVATE chain/lane)
fb_fuzz(receipt       DEPS token)
fb_fuzz(chain_logs    DEPS logs)
fb_fuzz(credit_row    DEPS credit)
fb_fuzz(lens_answer   DEPS token)
fb_fuzz(escrow_log    DEPS escrow)
fb_fuzz(proof         DEPS proof)
fb_fuzz(siwe          DEPS siwe crypto)
fb_fuzz(settle_id     DEPS settle)
fb_fuzz(head_block    DEPS head json)
target_include_directories(fuzz_head_block PRIVATE chain/head)

# Measures what a verification costs; not a test.
add_executable(bench_crypto tests/bench/bench_crypto.c)
target_compile_options(bench_crypto PRIVATE ${FB_WARNINGS})
target_link_libraries(bench_crypto PRIVATE fb_crypto fb_os)

# What tests/bench/verify, tests/bench/settle and tests/load/verify_million run: signed payments, and the load.
add_executable(bench_payloads tests/bench/make_payloads.c)
target_compile_options(bench_payloads PRIVATE ${FB_WARNINGS})
target_link_libraries(bench_payloads PRIVATE fb_crypto fb_os)
add_executable(bench_load tests/bench/load.c tests/bench/load_run.c tests/bench/load_answer.c tests/bench/load_bodies.c
  tests/bench/load_outcomes.c)
target_compile_options(bench_load PRIVATE ${FB_WARNINGS})
target_link_libraries(bench_load PRIVATE fb_core fb_os)
add_executable(bench_wire tests/bench/bench_wire.c)
target_compile_options(bench_wire PRIVATE ${FB_WARNINGS})
target_link_libraries(bench_wire PRIVATE fb_wire fb_os)
add_executable(bench_books tests/bench/bench_books.c)
target_compile_options(bench_books PRIVATE ${FB_WARNINGS})
target_link_libraries(bench_books PRIVATE fb_books)
add_executable(bench_proof tests/bench/bench_proof.c)
target_compile_options(bench_proof PRIVATE ${FB_WARNINGS})
target_link_libraries(bench_proof PRIVATE fb_proof)
# What tests/bench/ledger runs.
add_executable(bench_ledger tests/bench/ledger_main.c tests/bench/ledger_load.c tests/bench/ledger_stage.c
  tests/bench/ledger_answers.c tests/bench/ledger_usage.c tests/bench/ledger_histogram.c)
target_compile_options(bench_ledger PRIVATE ${FB_WARNINGS})
target_link_libraries(bench_ledger PRIVATE fb_writer fb_os)
add_executable(bench_ledger_disk tests/bench/ledger_disk.c tests/bench/ledger_histogram.c)
target_compile_options(bench_ledger_disk PRIVATE ${FB_WARNINGS})
target_link_libraries(bench_ledger_disk PRIVATE fb_writer fb_os)

# Black-box tests of the built program on a real chain with real clients (tools/setup testnet tests).
# Those of the contract alone are the same under every sanitizer.
set(contract_tests escrow escrow_fuzz)
if(FB_SANITIZE)
  set(contract_tests)
endif()
foreach(name api batch browser cli_pay cli_serve conformance escrow_cli head hostile identifier identity
    indexer indexer_faults
    indexer_halt indexer_rescan indexer_reserve
    indexer_start lens malformed outage pending purchase settle settlements ${contract_tests})
  add_test(NAME interop.${name}
    COMMAND ${PROJECT_SOURCE_DIR}/tools/node --test ${PROJECT_SOURCE_DIR}/tests/interop/${name}.test.mjs)
  set_tests_properties(interop.${name} PROPERTIES
    LABELS interop TIMEOUT 300 ENVIRONMENT "FAREBOX_BIN=$<TARGET_FILE:farebox>")
endforeach()
if(NOT FB_SANITIZE)
  set_tests_properties(interop.escrow_fuzz PROPERTIES TIMEOUT 1800) # its long form
endif()
# The built program on a real chain, in storms (tests/storm): load, kills, lies, reorgs, two processes, races. Under
# TSan one of them; the others say nothing more there and take their time.
set(storms volume)
if(NOT FB_SANITIZE STREQUAL thread)
  list(APPEND storms deploy escrow kill liar race replay underway)
endif()
foreach(name ${storms})
  add_test(NAME chaos.${name}
    COMMAND ${PROJECT_SOURCE_DIR}/tools/node --test ${PROJECT_SOURCE_DIR}/tests/storm/${name}.test.mjs)
  set_tests_properties(chaos.${name} PROPERTIES LABELS chaos TIMEOUT 7200 ENVIRONMENT
    "FAREBOX_BIN=$<TARGET_FILE:farebox>;FAREBOX_BUILD=${PROJECT_BINARY_DIR}")
endforeach()
add_test(NAME lint.contracts
  COMMAND ${PROJECT_SOURCE_DIR}/tools/node ${PROJECT_SOURCE_DIR}/contracts-abi/build.mjs --check)

# Crash and fault tests of the ledger: children that are killed, failing steps, damaged files, and what is left.
# They need the named places of ledger/store/probe.h.
if(FB_VERIFY)
  foreach(name kill torture)
    add_executable(test_ledger_${name} tests/crash/test_ledger_${name}.c tests/crash/ledger_course.c)
    target_compile_options(test_ledger_${name} PRIVATE ${FB_WARNINGS})
    target_compile_definitions(test_ledger_${name} PRIVATE FB_VERIFY=1)
    target_include_directories(test_ledger_${name} PRIVATE tests/unit tests/crash ledger/store)
    target_link_libraries(test_ledger_${name} PRIVATE fb_writer fb_audit fb_os)
  endforeach()
  add_test(NAME crash.kill COMMAND test_ledger_kill random)
  add_test(NAME crash.points COMMAND test_ledger_kill points)
  add_executable(test_ledger_faults tests/faults/test_ledger_faults.c tests/crash/ledger_course.c)
  target_compile_options(test_ledger_faults PRIVATE ${FB_WARNINGS})
  target_include_directories(test_ledger_faults PRIVATE tests/unit tests/crash)
  target_link_libraries(test_ledger_faults PRIVATE fb_writer fb_audit fb_os)
  add_test(NAME faults.ledger COMMAND test_ledger_faults ${few_mutations})
  set_tests_properties(faults.ledger PROPERTIES LABELS faults TIMEOUT 7200)
  add_test(NAME crash.torture COMMAND test_ledger_torture)
  set_tests_properties(crash.kill crash.points crash.torture PROPERTIES LABELS crash TIMEOUT 3600)
endif()

# Simulated worlds for the books: seeded clients, crashes and a lagging index, against an auditor of their own.
add_executable(sim_books tests/worlds/main.c ${books_world})
target_compile_options(sim_books PRIVATE ${FB_WARNINGS})
target_link_libraries(sim_books PRIVATE fb_books)
add_test(NAME sim.books COMMAND sim_books ${few_worlds})
set_tests_properties(sim.books PROPERTIES LABELS sim TIMEOUT 900)
add_executable(test_store_full tests/crash/test_store_full.c)
target_compile_options(test_store_full PRIVATE ${FB_WARNINGS})
target_include_directories(test_store_full PRIVATE tests/unit)
target_link_libraries(test_store_full PRIVATE fb_store)
add_test(NAME crash.store_full COMMAND test_store_full)
set_tests_properties(crash.store_full PROPERTIES LABELS crash TIMEOUT 120 SKIP_RETURN_CODE 77)

# The bank: many clients of the ledger, and what an independent reader of the journal says about their answers.
add_executable(bank_clients tests/bank/bank.c tests/bank/ops.c tests/bank/log.c)
target_compile_options(bank_clients PRIVATE ${FB_WARNINGS})
target_link_libraries(bank_clients PRIVATE fb_writer fb_json fb_os)

find_package(Python3 COMPONENTS Interpreter REQUIRED)
add_test(NAME bank.ledger COMMAND ${Python3_EXECUTABLE} -B ${PROJECT_SOURCE_DIR}/tests/bank/bank.py
  $<TARGET_FILE:bank_clients> $<TARGET_FILE:farebox>)
set_tests_properties(bank.ledger PROPERTIES LABELS bank TIMEOUT 1800)
add_test(NAME bank.commands COMMAND ${Python3_EXECUTABLE} -B ${PROJECT_SOURCE_DIR}/tests/bank/commands.py
  $<TARGET_FILE:bank_clients> $<TARGET_FILE:farebox>)
set_tests_properties(bank.commands PROPERTIES LABELS bank TIMEOUT 300)
add_test(NAME crash.ledger_backup COMMAND ${Python3_EXECUTABLE} -B ${PROJECT_SOURCE_DIR}/tests/bank/backup.py
  $<TARGET_FILE:bank_clients> $<TARGET_FILE:farebox>)
set_tests_properties(crash.ledger_backup PROPERTIES LABELS crash TIMEOUT 1800)
add_test(NAME lint.layers COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tools/check_layers.py
  ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/layers.json)
add_test(NAME lint.source
  COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tools/check_source.py ${PROJECT_SOURCE_DIR})
add_test(NAME lint.source_rules COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tests/lint/test_check_source.py)
add_test(NAME lint.mutate COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tools/mutate --check)

# Simulated worlds for the escrow's movements: reorgs, lies and crashes, against an auditor of their own.
add_executable(sim_credit tests/credit/main.c tests/credit/world.c tests/credit/chain.c tests/credit/ledger.c
  tests/credit/audit.c)
target_compile_options(sim_credit PRIVATE ${FB_WARNINGS})
target_link_libraries(sim_credit PRIVATE fb_credit fb_crypto)
add_test(NAME sim.credit COMMAND sim_credit ${few_credits})
set_tests_properties(sim.credit PROPERTIES LABELS sim TIMEOUT 900)

add_executable(payout_driver tests/payout/driver.c)
target_compile_options(payout_driver PRIVATE ${FB_WARNINGS})
target_link_libraries(payout_driver PRIVATE fb_core fb_crypto fb_event fb_follow fb_head fb_lane fb_metric fb_net fb_os
  fb_payout fb_reserve fb_rpc fb_store fb_writer fb_books fb_codec fb_credit fb_escrow fb_logs fb_port)
# Withdrawals on a real chain: paid, refused, taken back, and the engine killed under way.
add_test(NAME payout.chain
  COMMAND ${PROJECT_SOURCE_DIR}/tools/node --test ${PROJECT_SOURCE_DIR}/tests/payout/payout.test.mjs)
set_tests_properties(payout.chain PROPERTIES TIMEOUT 240 ENVIRONMENT "FAREBOX_BIN=$<TARGET_FILE:farebox>")
add_executable(test_payout tests/unit/test_payout.c)
target_compile_options(test_payout PRIVATE ${FB_WARNINGS})
target_include_directories(test_payout PRIVATE tests/unit indexer/payout)
target_link_libraries(test_payout PRIVATE fb_payout fb_json PkgConfig::CMOCKA)
add_test(NAME unit.payout COMMAND test_payout)
