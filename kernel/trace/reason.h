/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_TRACE_REASON_H
#define __IOMMUFD_TRACE_REASON_H

#define IOMMUFD_POLICY_NAME_LEN	16
#define IOMMUFD_DEVICE_NAME_LEN	32

/**
 * enum iommufd_file_request - file operations other than ioctls as requests
 * @IOMMUFD_REQUEST_FAULT_READ: read() of a queue of page faults
 * @IOMMUFD_REQUEST_FAULT_WRITE: write() of a queue of page faults
 * @IOMMUFD_REQUEST_VEVENT_READ: read() of a queue of events
 * @IOMMUFD_REQUEST_MMAP: mmap() of /dev/iommu
 */
enum iommufd_file_request {
	IOMMUFD_REQUEST_FAULT_READ = 1,
	IOMMUFD_REQUEST_FAULT_WRITE = 2,
	IOMMUFD_REQUEST_VEVENT_READ = 3,
	IOMMUFD_REQUEST_MMAP = 4,
};

/*
 * The reasons: the name, and the text that iommufd_fail prints for it. The list
 * is a stable ABI: existing reasons keep their position and meaning, new ones
 * are appended. docs/reasons.toml has everything else about each: the meaning
 * of the two numbers that explain it, and what a user can do about it.
 */
#define IOMMUFD_REASONS(R, LAST) \
	/* no reason was recorded; should not happen */ \
	R(NOT_SAID, "not_said") \
	/* the form of the request */ \
	R(UNKNOWN_COMMAND, "unknown_command") \
	R(BAD_SIZE, "bad_size") \
	R(TRAILING_BYTES, "trailing_bytes") \
	R(USER_MEMORY, "user_memory") \
	R(UNKNOWN_FLAG, "unknown_flag") \
	R(RESERVED, "reserved") \
	R(UNKNOWN_VALUE, "unknown_value") \
	R(OUT_OF_RANGE, "out_of_range") \
	R(ZERO_LENGTH, "zero_length") \
	R(NO_RIGHTS_ASKED, "no_rights_asked") \
	R(OVERFLOW, "overflow") \
	R(DATA_MISMATCH, "data_mismatch") \
	R(FLAGS_CONFLICT, "flags_conflict") \
	R(SHORT_BUFFER, "short_buffer") \
	R(BAD_LENGTH, "bad_length") \
	R(BAD_ARRAY, "bad_array") \
	/* objects */ \
	R(NO_OBJECT, "no_object") \
	R(WRONG_TYPE, "wrong_type") \
	R(OBJECT_BUSY, "object_busy") \
	R(OBJECT_ENDING, "object_ending") \
	R(DUPLICATE, "duplicate") \
	R(NOT_EMPTY, "not_empty") \
	/* resources and permissions of the system */ \
	R(NO_MEMORY, "no_memory") \
	R(INTERRUPTED, "interrupted") \
	R(TOO_MANY_FILES, "too_many_files") \
	R(NO_CAPABILITY, "no_capability") \
	R(MEMLOCK, "memlock") \
	/* addresses */ \
	R(IOVA_MAPPED, "iova_mapped") \
	R(IOVA_RESERVED, "iova_reserved") \
	R(IOVA_APERTURE, "iova_aperture") \
	R(IOVA_ALIGNMENT, "iova_alignment") \
	R(MEMORY_ALIGNMENT, "memory_alignment") \
	R(NO_SPACE, "no_space") \
	R(NOT_MAPPED, "not_mapped") \
	R(PARTIAL_UNMAP, "partial_unmap") \
	R(HARDWARE_USES, "hardware_uses") \
	R(MAPPING_RIGHTS, "mapping_rights") \
	R(AREA_IN_THE_WAY, "area_in_the_way") \
	R(BAD_ALLOWED, "bad_allowed") \
	/* memory */ \
	R(NO_VMA, "no_vma") \
	R(VMA_PFNMAP, "vma_pfnmap") \
	R(VMA_NOT_WRITABLE, "vma_not_writable") \
	R(VMA_NOT_READABLE, "vma_not_readable") \
	R(NOT_PINNABLE, "not_pinnable") \
	R(PROCESS_GONE, "process_gone") \
	R(NOT_CONTIGUOUS, "not_contiguous") \
	R(NOT_MEMORY, "not_memory") \
	R(FILE_END, "file_end") \
	R(BAD_FD, "bad_fd") \
	R(FILE_KIND, "file_kind") \
	R(FILE_RIGHTS, "file_rights") \
	R(DMABUF_EXPORTER, "dmabuf_exporter") \
	R(DMABUF_RANGE, "dmabuf_range") \
	R(DMABUF_REVOKED, "dmabuf_revoked") \
	R(VA_STAYS, "va_stays") \
	/* devices and page tables */ \
	R(NO_IOMMU, "no_iommu") \
	R(NOT_COHERENT, "not_coherent") \
	R(INTERRUPTS, "interrupts") \
	R(GROUP_OWNED, "group_owned") \
	R(ATTACHED, "attached") \
	R(NOT_ATTACHED, "not_attached") \
	R(GROUP_ATTACHED, "group_attached") \
	R(NOT_FOR_PASIDS, "not_for_pasids") \
	R(PASID_NEEDS_HWPT, "pasid_needs_hwpt") \
	R(FAULTS_OF_VF, "faults_of_vf") \
	R(OTHER_IOMMU, "other_iommu") \
	R(CACHE_COHERENCY, "cache_coherency") \
	R(HWPT_PAGE_SIZE, "hwpt_page_size") \
	R(NOT_NEST_PARENT, "not_nest_parent") \
	R(DRIVER_LACKS, "driver_lacks") \
	R(DRIVER_REFUSED, "driver_refused") \
	R(DENIED_BY_POLICY, "denied_by_policy") \
	R(LIMITED_BY_POLICY, "limited_by_policy") \
	/* queues and files */ \
	R(UNKNOWN_COOKIE, "unknown_cookie") \
	R(NOT_READ_YET, "not_read_yet") \
	R(MMAP_OFFSET, "mmap_offset") \
	R(MMAP_FLAGS, "mmap_flags") \
	R(NO_CONTAINER_IOAS, "no_container_ioas") \
	R(CONTAINER_NOIOMMU, "container_noiommu") \
	R(NO_PHYS, "no_phys") \
	R(PAGES_PINNED, "pages_pinned") \
	R(EXTERNAL_MODULE, "external_module") \
	LAST(PINNING_DENIED, "pinning_denied")

#define IOMMUFD_REASON_ENUM(_name, ...)	IOMMUFD_REASON_##_name,
/* Why a request of user space failed; docs/failures.md explains each reason. */
enum iommufd_reason {
	IOMMUFD_REASONS(IOMMUFD_REASON_ENUM, IOMMUFD_REASON_ENUM)
};

#undef IOMMUFD_REASON_ENUM

#endif
